/**
 * A kind of signal with tests of its own. The budget of false alarms is split evenly over the
 * families that can be tested.
 */
export type Family =
  | 'data_quality'
  | 'features'
  | 'dependence'
  | 'output_quality'
  | 'labels'
  | 'error'
  | 'predictions';
