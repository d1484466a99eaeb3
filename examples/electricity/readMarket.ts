import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/**
 * A half-hour of the electricity market of New South Wales. README.md says where the data are from.
 */
export interface HalfHour {
  /** Start of the half-hour in ms since the epoch. */
  timeMs: number;
  /** Values by the names in `featureNames`. */
  features: Record<string, number>;
  /** UP if the price is above the mean of the last 24 hours, else DOWN. */
  label: string;
}

export const featureNames = [
  'day',
  'period',
  'nswprice',
  'nswdemand',
  'vicprice',
  'vicdemand',
  'transfer',
];

/** Reads all half-hours in the order of time. */
export function readMarket(): HalfHour[] {
  const text = gunzipSync(readFileSync(new URL('electricity.csv.gz', import.meta.url))).toString(
    'utf8',
  );
  const [header, ...lines] = text.trimEnd().split('\n');
  const columns = header!.split(',');
  return lines.map(line => {
    const cells = line.split(',');
    const cell = (column: string) => cells[columns.indexOf(column)]!;
    return {
      timeMs: Date.parse(cell('time')),
      features: Object.fromEntries(featureNames.map(name => [name, Number(cell(name))])),
      label: cell('class'),
    };
  });
}
