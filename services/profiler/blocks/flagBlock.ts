import {
  dictionaryColumn,
  int64Column,
  nativeBlock,
  textColumn,
} from '../../shared/clickhouse/nativeBlock.ts';
import type { Flag } from '../../shared/contracts.ts';

export type FlagBlock = ReturnType<typeof flagBlock>;

/** An empty block of rows of the table flags. */
export function flagBlock() {
  return nativeBlock({
    model: dictionaryColumn(),
    version: dictionaryColumn(),
    rule: dictionaryColumn(),
    event_time: int64Column("DateTime64(3, 'UTC')"),
    id: textColumn(),
    subject: dictionaryColumn(),
    value: textColumn(),
    message: textColumn(),
  });
}

/** Appends the row of one flag. */
export function addFlag(block: FlagBlock, flag: Flag): void {
  const { columns } = block;
  columns.model.add(flag.model);
  columns.version.add(flag.version);
  columns.rule.add(flag.rule);
  columns.event_time.add(flag.time);
  columns.id.add(flag.id);
  columns.subject.add(flag.subject);
  columns.value.add(flag.value);
  columns.message.add(flag.message);
  block.rows++;
}
