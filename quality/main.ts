/** npm run quality: measures how well the detector detects, on streams whose drifts are known. */
import { mkdirSync } from 'node:fs';
import { Command } from 'commander';
import { formatTable } from '../bin/terminal/formatTable.ts';
import { parseDurationMs } from '../services/shared/duration.ts';
import { UserError } from '../services/shared/userError.ts';
import { everySignal, parseSignals } from './counting/signals.ts';
import { generatedBy, streamCache } from './counting/streamCache.ts';
import { judgeFolders } from './judge/judgeFolders.ts';
import type { JudgedStream } from './judge/judgeStream.ts';
import { judgeTrack } from './judge/judgeTrack.ts';
import {
  byClock,
  byWindow,
  causeTable,
  cellTable,
  eventTable,
  scoreCells,
} from './report/streamReport.ts';
import { trackRow } from './report/trackTable.ts';
import { caseTable, wantedTable } from './report/wantedTable.ts';
import { tracks } from './streams/tracks.ts';
import { parseRepeats } from './terminal/parseRepeats.ts';
import { showProgress } from './terminal/showProgress.ts';

/** Nobody reads more than this. */
const maxEventsShown = 40;

interface Options {
  dir?: string;
  out?: string;
  only: string;
  signals: string;
  window: string;
  cache: string;
  track?: string[];
  repeats?: string;
}

const options = new Command('npm run quality --')
  .description(
    'Judges streams with the code that the services run, and scores the drift events against the known drifts. Without --dir the streams are generated.',
  )
  .option('--out <folder>', 'folder for <stream>.jsonl, with one drift event per line')
  .option(
    '--dir <folder>',
    'judge your own streams: <stream>/predictions.jsonl[.gz], feedback.jsonl[.gz], truth.json',
  )
  .option('--only <text>', 'only streams whose name contains this', '')
  .option('--signals <names>', 'with --dir: what the detector may see', everySignal.join(','))
  .option('--window <duration>', 'with --dir: window size in event time', '200s')
  .option(
    '--cache <folder>',
    'folder that keeps counted streams for the next run',
    '.driftloop/quality',
  )
  .option(
    '--track <names...>',
    `generated streams to judge: ${tracks.map(({ name }) => name).join(', ')} (default: all)`,
  )
  .option('--repeats <number>', 'generated streams per cell (default: as in the published table)')
  .parse()
  .opts<Options>();

try {
  if (options.dir === undefined) await judgeTracks(options);
  else await judgeDir(options.dir, options);
} catch (error) {
  console.error(error instanceof UserError ? error.message : error);
  process.exitCode = 1;
}

async function judgeDir(
  dir: string,
  { out, only, signals, window, cache }: Options,
): Promise<void> {
  if (out === undefined)
    throw new UserError('--out is missing: --dir needs a folder for the drift events');
  const windowSizeMs = parseDurationMs(window);
  if (windowSizeMs === null)
    throw new UserError(`--window ${window}: expected a duration such as 200s, 1h`);
  const startedAtMs = Date.now();
  const streams = await judgeFolders({
    dir,
    out,
    only,
    windowSizeMs,
    signals: parseSignals(signals),
    cache: streamCache(cache),
    onStream: (name, done, all) => showProgress(`${done}/${all} ${name}`),
  });
  showProgress('');
  report(streams);
  console.log(`${streams.length} streams scored in ${seconds(startedAtMs)} s`);
}

async function judgeTracks({
  track: names,
  repeats,
  only,
  out,
  cache: folder,
}: Options): Promise<void> {
  const unknown = names?.find(name => !tracks.some(track => track.name === name));
  if (unknown !== undefined)
    throw new UserError(
      `--track ${unknown}: expected some of ${tracks.map(({ name }) => name).join(' ')}`,
    );
  const wantedRepeats = repeats === undefined ? undefined : parseRepeats(repeats);
  if (out !== undefined) mkdirSync(out, { recursive: true });
  const chosen = tracks.filter(({ name }) => !names || names.includes(name));
  const cache = streamCache(folder, generatedBy);
  const rows: Record<string, string | number>[] = [];
  for (const track of chosen) {
    const startedAtMs = Date.now();
    const streams = await judgeTrack(track, {
      repeats: wantedRepeats ?? track.repeats,
      only,
      ...(out !== undefined && { out }),
      cache,
      onStream: stream => showProgress(`${track.name}: ${stream}`),
    });
    showProgress('');
    console.log(`${track.name}: ${streams.length} streams in ${seconds(startedAtMs)} s`);
    if (streams.length === 0) continue;
    report(streams);
    rows.push(trackRow(track, streams));
    console.log('');
  }
  console.log(formatTable(rows));
}

function report(streams: readonly JudgedStream[]): void {
  if (streams.length === 0) return;
  if (streams.every(({ expectation }) => expectation !== null)) {
    console.log(caseTable(streams));
    console.log(wantedTable(streams));
    return;
  }
  console.log('Alarms, timed by the end of the window that fired:');
  console.log(cellTable(scoreCells(streams, byWindow)));
  if (streams.some(({ truth }) => truth.labelDelay > 0)) {
    console.log(
      '\nAlarms, timed by the clock when they were raised; the time limit is longer by the delay of the labels:',
    );
    console.log(cellTable(scoreCells(streams, byClock)));
  }
  if (streams.some(({ truth }) => truth.starts.length > 0)) {
    console.log('\nFirst cause that was named, by what was injected:');
    console.log(causeTable(streams));
  }
  const events = streams.reduce((sum, { alarms }) => sum + alarms.length, 0);
  if (events > 0 && events <= maxEventsShown) {
    console.log('\nDrift events:');
    console.log(eventTable(streams));
  }
}

function seconds(sinceMs: number): string {
  return ((Date.now() - sinceMs) / 1000).toFixed(1);
}
