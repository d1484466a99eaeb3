import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import {
  dictionaryColumn,
  int32Column,
  int64Column,
  nativeBlock,
  nullableFloat64Column,
  textColumn,
} from '../../../shared/clickhouse/nativeBlock.ts';
import type { Feedback } from '../../../shared/contracts.ts';

/** A usable record of feedback. */
export interface FeedbackRecord {
  feedback: Feedback;
  partition: number;
  offset: number;
}

/** Inserts records into the table feedback. */
export async function insertFeedback(
  clickhouse: Clickhouse,
  records: readonly FeedbackRecord[],
): Promise<void> {
  await clickhouse.insertBlock('feedback', feedbackBlock(records));
}

/** Encodes records as rows of the table feedback. */
function feedbackBlock(records: readonly FeedbackRecord[]) {
  const block = nativeBlock({
    id: textColumn(),
    model: dictionaryColumn(),
    label: textColumn(),
    label_value: nullableFloat64Column(),
    value: nullableFloat64Column(),
    observed_at: int64Column("DateTime64(3, 'UTC')"),
    source_partition: int32Column(),
    source_offset: int64Column('UInt64'),
  });
  const { columns } = block;
  for (const { feedback, partition, offset } of records) {
    const { id, model, label, value, time } = feedback;
    columns.id.add(id);
    columns.model.add(model ?? '');
    columns.label.add(String(label));
    columns.label_value.add(typeof label === 'number' ? label : null);
    columns.value.add(value);
    columns.observed_at.add(time);
    columns.source_partition.add(partition);
    columns.source_offset.add(offset);
    block.rows++;
  }
  return block;
}
