/** npm run bench [-- --json FILE] [--only NAME] [--quick]: the figures of docs/benchmarks.md. */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { Command, Option } from 'commander';
import { formatTable } from '../bin/formatTable.ts';
import { type BenchServers, startBenchServers } from './benchServers.ts';
import type { Measurement } from './measurement.ts';
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
import { type Summary, summarise } from './summary.ts';
import { versions } from './versions.ts';

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

const options = new Command('bench')
  .option('--json <file>', 'writes the figures there, too')
  .addOption(
    new Option('--only <name>', 'this measurement alone').choices(measurements.map(measurement => measurement.name)),
  )
  .option('--quick', 'small sizes: shows that everything runs, the figures say little', false)
  .parse()
  .opts<{ json?: string; only?: string; quick: boolean }>();
const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');

let starting: Promise<BenchServers> | undefined;
const summaries: (Summary & { versions: Record<string, string>; command: string })[] = [];
try {
  for (const measurement of measurements) {
    if (options.only !== undefined && options.only !== measurement.name) continue;
    console.log(`${measurement.name} …`);
    const lines = await measurement.run({
      quick: options.quick,
      servers: () => {
        starting ??= startBenchServers();
        return starting;
      },
      onProgress: line => console.log(`  ${line}`),
    });
    summaries.push(...lines.map(line => ({ ...summarise(line), versions: versions(), command })));
  }
} finally {
  await (await starting)?.stop();
}

console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, ${new Date().toISOString()}`);
console.log(formatTable(summaries.map(shown)));
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(summaries, null, 2)}\n`);

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
