/**
 * npm run bench: measures the figures of docs/benchmarks.md. `npm run bench -- --help` has options.
 */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { Command, Option } from 'commander';
import { formatTable } from '../bin/terminal/formatTable.ts';
import { UserError } from '../services/shared/userError.ts';
import { type BenchServers, startBenchServers } from './harness/benchServers.ts';
import type { BenchContext, Measurement } from './harness/measurement.ts';
import { type Summary, summarise } from './harness/summary.ts';
import { versions } from './harness/versions.ts';
import { backlog } from './measurements/backlog.ts';
import { core } from './measurements/core.ts';
import { duplicates } from './measurements/duplicates.ts';
import { endToEnd } from './measurements/endToEnd.ts';
import { feedbackJoin } from './measurements/feedbackJoin.ts';
import { growth } from './measurements/growth.ts';
import { latency } from './measurements/latency.ts';
import { manyModels } from './measurements/manyModels.ts';
import { profilerRows } from './measurements/profilerRows.ts';
import { profilerWindows } from './measurements/profilerWindows.ts';
import { wideEvents } from './measurements/wideEvents.ts';

const measurements: readonly Measurement[] = [
  profilerWindows,
  profilerRows,
  core,
  endToEnd,
  latency,
  feedbackJoin,
  manyModels,
  wideEvents,
  duplicates,
  growth,
  backlog,
];

const options = new Command('npm run bench --')
  .description('Measures speed and memory, against other tools and against the least possible.')
  .option('--json <file>', 'write the figures there too')
  .addOption(
    new Option('--only <name...>', 'run only these measurements').choices(
      measurements.map(measurement => measurement.name),
    ),
  )
  .option(
    '--quick',
    'use small sizes and no other tools: shows that everything runs, but the figures mean little',
    false,
  )
  .parse()
  .opts<{ json?: string; only?: string[]; quick: boolean }>();
const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');

let starting: Promise<BenchServers> | undefined;
const context: BenchContext = {
  quick: options.quick,
  servers() {
    starting ??= startBenchServers().catch(error => {
      starting = undefined;
      throw error;
    });
    return starting;
  },
  onProgress: line => console.log(`  ${line}`),
};
const summaries: (Summary & { versions: Record<string, string>; command: string })[] = [];
const failures: string[] = [];
for (const measurement of measurements) {
  if (options.only && !options.only.includes(measurement.name)) continue;
  console.log(`${measurement.name} …`);
  try {
    const lines = await measurement.run(context);
    summaries.push(...lines.map(line => ({ ...summarise(line), versions: versions(), command })));
  } catch (error) {
    // The other measurements are worth having all the same.
    failures.push(`${measurement.name}: ${(error as Error).message}`);
    console.error(error instanceof UserError ? error.message : error);
  }
}
await (await starting)?.stop();

console.log(
  `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, ${new Date().toISOString()}`,
);
console.log(formatTable(summaries.map(shown)));
if (options.json !== undefined)
  await writeFile(options.json, `${JSON.stringify(summaries, null, 2)}\n`);
for (const failure of failures) console.error(`not measured: ${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;

function shown({ name, value, unit, baseline, ratio, target, met, spread, note }: Summary) {
  const figure = (number: number) => Number(number.toPrecision(3));
  return {
    name,
    value: figure(value),
    unit,
    baseline: baseline === null ? null : figure(baseline),
    ratio: ratio === null ? null : figure(ratio),
    target: target && ('atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`),
    met: met === null ? null : met ? 'yes' : 'no',
    spread: spread.map(figure).join(' to '),
    note,
  };
}
