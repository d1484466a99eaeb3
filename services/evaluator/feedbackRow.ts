import { type RowBinary, writeInt32, writeInt64, writeNullableFloat64, writeText } from '../shared/rowBinary.ts';
import type { FeedbackRecord } from './store.ts';

/** Columns of the table feedback in the order in which `writeFeedbackRow` writes them. */
export const feedbackColumns = [
  'id',
  'model',
  'label',
  'label_value',
  'value',
  'observed_at',
  'source_partition',
  'source_offset',
] as const;

/** Appends one row of the table feedback. */
export function writeFeedbackRow(rows: RowBinary, { feedback, partition, offset }: FeedbackRecord): void {
  const { id, model, label, value, time } = feedback;
  writeText(rows, id);
  writeText(rows, model ?? '');
  writeText(rows, String(label));
  writeNullableFloat64(rows, typeof label === 'number' ? label : null);
  writeNullableFloat64(rows, value);
  writeInt64(rows, time);
  writeInt32(rows, partition);
  writeInt64(rows, offset);
  rows.rows++;
}
