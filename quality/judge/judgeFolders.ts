import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSettings } from '../../services/shared/config/settings.ts';
import { UserError } from '../../services/shared/userError.ts';
import { readStreamFolder, streamFile } from '../counting/readStreamFolder.ts';
import { type Signal, withSignals } from '../counting/signals.ts';
import type { StreamCache } from '../counting/streamCache.ts';
import { readTruth } from '../counting/truthFile.ts';
import { alarmLines } from './alarmLines.ts';
import { type JudgedStream, judgeStream } from './judgeStream.ts';

const dayMs = 86_400_000;

export interface JudgeOptions {
  dir: string;
  out: string;
  /** Only streams whose name contains this text are judged. */
  only: string;
  windowSizeMs: number;
  signals: readonly Signal[];
  cache: StreamCache;
  onStream(name: string, done: number, all: number): void;
}

/**
 * Judges the streams of a folder with the default settings of the services, and writes their drift
 * events, one file per stream.
 * @returns the streams whose drifts are known
 * @throws UserError if the folder cannot be read or has no such stream
 */
export async function judgeFolders({
  dir,
  out,
  only,
  cache,
  ...options
}: JudgeOptions): Promise<JudgedStream[]> {
  const names = streamNames(dir).filter(name => name.includes(only));
  if (names.length === 0)
    throw new UserError(
      `--dir ${dir}: no folder ${only && `*${only}* `}with predictions.jsonl[.gz]`,
    );
  mkdirSync(out, { recursive: true });
  const judged: JudgedStream[] = [];
  for (const [index, name] of names.entries()) {
    const folder = join(dir, name);
    const files = [streamFile(folder, 'predictions'), streamFile(folder, 'feedback')].filter(
      file => file !== null,
    );
    const { streams, rejected } = await cache.get(files, [options.windowSizeMs], () =>
      readStreamFolder(folder, options.windowSizeMs),
    );
    for (const [rejection, records] of rejected)
      console.error(`${name}: ${records} records rejected: ${rejection}`);
    const alarms = streams.flatMap(stream =>
      judgeStream(
        withSignals(stream, options.signals),
        parseSettings('', 'defaults').of(stream.model).detection,
      ),
    );
    writeFileSync(join(out, `${name}.jsonl`), alarmLines(alarms));
    const truth = readTruth(join(folder, 'truth.json'));
    const windowRows = truth ? truth.rowAt(options.windowSizeMs) - truth.rowAt(0) : 0;
    const daysMonitored =
      (streams.reduce((sum, { windows }) => sum + windows.length, 0) * options.windowSizeMs) /
      dayMs;
    if (truth) judged.push({ truth, windowRows, daysMonitored, expectation: null, alarms });
    options.onStream(name, index + 1, names.length);
  }
  return judged;
}

function streamNames(dir: string): string[] {
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch (cause) {
    throw new UserError(`--dir ${dir}: ${(cause as Error).message}`, { cause });
  }
  return names.filter(name => streamFile(join(dir, name), 'predictions') !== null).sort();
}
