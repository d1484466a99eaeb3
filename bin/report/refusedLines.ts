import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { formatTable } from '../terminal/formatTable.ts';

/** Lines of a file that no service could use, for one kind of reason. */
export interface RefusedLines {
  /** Topic without prefix: predictions or feedback. */
  topic: string;
  /** Class of the dead letters, such as too-late. */
  class: string;
  count: number;
  /** What was wrong with the first of them: field, value, and what was expected. */
  example: string;
}

/** Counts the dead letters by topic and class, the most frequent first. */
export function refusedLines(clickhouse: Clickhouse, topicPrefix: string): Promise<RefusedLines[]> {
  return clickhouse.select<RefusedLines>(
    `SELECT substring(source_topic, length({topicPrefix:String}) + 1) AS topic, class,
            count() AS count, argMin(message, (source_partition, source_offset)) AS example
     FROM dead_letters FINAL GROUP BY topic, class ORDER BY count DESC, topic, class`,
    { topicPrefix },
  );
}

/** Says how many lines were refused and why. */
export function refusedText(refused: readonly RefusedLines[]): string {
  const total = refused.reduce((sum, { count }) => sum + count, 0);
  const rows = refused.map(({ topic, class: name, count, example }) => ({
    file: topic,
    lines: count.toLocaleString('en'),
    class: name,
    'first of them': example,
  }));
  const lines =
    total === 1 ? '1 line was refused' : `${total.toLocaleString('en')} lines were refused`;
  return `${lines} and not counted:\n${formatTable(rows)}`;
}
