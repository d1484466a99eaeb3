/** Kinds of signals; the budget of false alarms is split evenly over those that can be tested. */
export type Family =
  | 'data_quality'
  | 'features'
  | 'dependence'
  | 'output_quality'
  | 'labels'
  | 'error'
  | 'predictions';
