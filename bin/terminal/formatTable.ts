import { printable } from './printable.ts';

/**
 * Formats rows as a table: each column is as wide as its content, a column of numbers is aligned to
 * the right, and a missing value is shown as "-".
 * @example formatTable([{ model: 'churn', lag: 3 }]) // 'model  lag\nchurn    3'
 */
export function formatTable(rows: readonly Record<string, string | number | null>[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const shown = (value: string | number | null | undefined) =>
    value === null || value === undefined ? '-' : printable(String(value));
  const widths = columns.map(column =>
    Math.max(column.length, ...rows.map(row => shown(row[column]).length)),
  );
  const numeric = columns.map(column => rows.every(row => typeof row[column] !== 'string'));
  const line = (cells: string[]) =>
    cells
      .map((cell, index) =>
        numeric[index] ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!),
      )
      .join('  ')
      .trimEnd();
  return [line(columns), ...rows.map(row => line(columns.map(column => shown(row[column]))))].join(
    '\n',
  );
}
