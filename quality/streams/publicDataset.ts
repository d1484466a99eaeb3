import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { readMarket } from '../../examples/electricity/readMarket.ts';

/** Rows of numbers with the class of each. */
export interface Dataset {
  name: string;
  columns: readonly string[];
  rows: readonly number[][];
  /** Positions in `classes`. */
  labels: readonly number[];
  classes: readonly string[];
}

/** Functions that read the data sets, by name. */
export const publicDatasets: Record<string, () => Dataset> = {
  Electricity: electricity,
  NOAA: noaa,
};

/**
 * Reads the market of the example with the date as a number, as published: (YYMMDD - 960507) /
 * 22601.
 */
function electricity(): Dataset {
  const market = readMarket();
  const columns = ['date', ...Object.keys(market[0]!.features)];
  return {
    name: 'Electricity',
    columns,
    rows: market.map(({ timeMs, features }) => {
      const [year, month, day] = new Date(timeMs + 10 * 3_600_000)
        .toISOString()
        .split('T')[0]!
        .split('-')
        .map(Number);
      const date = ((year! % 100) * 10_000 + month! * 100 + day! - 960_507) / 22_601;
      return [date, ...Object.values(features)];
    }),
    labels: market.map(({ label }) => (label === 'UP' ? 1 : 0)),
    classes: ['DOWN', 'UP'],
  };
}

function noaa(): Dataset {
  const text = gunzipSync(readFileSync(new URL('noaa.csv.gz', import.meta.url))).toString('utf8');
  const [header, ...lines] = text.trimEnd().split('\n');
  const columns = header!.split(',').slice(0, -1);
  const cells = lines.map(line => line.split(',').map(Number));
  return {
    name: 'NOAA',
    columns,
    rows: cells.map(row => row.slice(0, -1)),
    labels: cells.map(row => row.at(-1)!),
    classes: ['dry', 'rain'],
  };
}
