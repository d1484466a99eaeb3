/** npm run quality: how well the detector detects, on streams whose drifts are known. */
import { Command } from 'commander';
import { parseDurationMs } from '../services/shared/duration.ts';
import { UserError } from '../services/shared/userError.ts';
import { judgeFolders } from './judgeFolders.ts';
import { everySignal, parseSignals } from './signals.ts';
import { streamCache } from './streamCache.ts';
import { byClock, byWindow, causeTable, cellTable, type JudgedStream, scoreCells } from './streamReport.ts';

interface Options {
  dir: string;
  out: string;
  only: string;
  signals: string;
  window: string;
  cache: string;
}

const options = new Command('quality')
  .description(
    'Judges streams by the core that the services run, and scores the drift events against the known drifts.',
  )
  .requiredOption('--dir <folder>', '<stream>/predictions.jsonl[.gz], feedback.jsonl[.gz], truth.json')
  .requiredOption('--out <folder>', 'gets <stream>.jsonl: a drift event per line')
  .option('--only <text>', 'only streams whose name contains it', '')
  .option('--signals <names>', 'what is looked at', everySignal.join(','))
  .option('--window <duration>', 'window size in event time', '200s')
  .option('--cache <folder>', 'counted streams, for the next run', '.driftloop/quality')
  .parse()
  .opts<Options>();

try {
  await run(options);
} catch (error) {
  console.error(error instanceof UserError ? error.message : error);
  process.exitCode = 1;
}

async function run({ dir, out, only, signals, window, cache }: Options): Promise<void> {
  const windowSizeMs = parseDurationMs(window);
  if (windowSizeMs === null) throw new UserError(`--window ${window}: expected a duration such as 200s, 1h`);
  const startedAtMs = Date.now();
  const streams = await judgeFolders({
    dir,
    out,
    only,
    windowSizeMs,
    signals: parseSignals(signals),
    cache: streamCache(cache),
    onStream: (name, done, all) => process.stderr.isTTY && process.stderr.write(`\x1b[2K\r${done}/${all} ${name}\r`),
  });
  report(streams);
  console.log(`${streams.length} streams scored in ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`);
}

function report(streams: readonly JudgedStream[]): void {
  if (streams.length === 0) return;
  console.log('Alarms timed by the end of the window that fired:');
  console.log(cellTable(scoreCells(streams, byWindow)));
  if (streams.some(({ truth }) => truth.labelDelay > 0)) {
    console.log(
      '\nAlarms timed by the clock when they were raised, drifts to be found later by the delay of the labels:',
    );
    console.log(cellTable(scoreCells(streams, byClock)));
  }
  console.log('\nCause named first, by what was injected:');
  console.log(causeTable(streams));
}
