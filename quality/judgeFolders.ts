import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSettings } from '../services/shared/settings.ts';
import { UserError } from '../services/shared/userError.ts';
import { type Alarm, judgeStream } from './judgeStream.ts';
import { readStreamFolder, streamFile } from './readStreamFolder.ts';
import { type Signal, withSignals } from './signals.ts';
import type { StreamCache } from './streamCache.ts';
import type { JudgedStream } from './streamReport.ts';
import { readTruth } from './truthFile.ts';

export interface JudgeOptions {
  dir: string;
  out: string;
  /** Part of the names of the streams that are judged. */
  only: string;
  windowSizeMs: number;
  signals: readonly Signal[];
  cache: StreamCache;
  onStream(name: string, done: number, all: number): void;
}

/**
 * Judges the streams of a folder with the defaults of the services and writes their drift events.
 * @returns those whose drifts are known
 * @throws UserError
 */
export async function judgeFolders({ dir, out, only, cache, ...options }: JudgeOptions): Promise<JudgedStream[]> {
  const names = streamNames(dir).filter(name => name.includes(only));
  if (names.length === 0)
    throw new UserError(`--dir ${dir}: no folder ${only && `*${only}* `}with predictions.jsonl[.gz]`);
  mkdirSync(out, { recursive: true });
  const judged: JudgedStream[] = [];
  for (const [index, name] of names.entries()) {
    const folder = join(dir, name);
    const files = [streamFile(folder, 'predictions'), streamFile(folder, 'feedback')].filter(file => file !== null);
    const { streams, rejected } = await cache.get(files, [options.windowSizeMs], () =>
      readStreamFolder(folder, options.windowSizeMs),
    );
    for (const [rejection, records] of rejected) console.error(`${name}: ${records} records rejected: ${rejection}`);
    const alarms = streams.flatMap(stream =>
      judgeStream(withSignals(stream, options.signals), parseSettings('', 'defaults').of(stream.model).detection),
    );
    alarms.sort((a, b) => a.event.windowEnd - b.event.windowEnd);
    writeFileSync(join(out, `${name}.jsonl`), alarms.map(alarm => `${JSON.stringify(alarmLine(alarm))}\n`).join(''));
    const truth = readTruth(join(folder, 'truth.json'));
    if (truth) judged.push({ truth, alarms });
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

/** A drift event as the table drift_events has it, with the end of its window as `time`, and when and as what it was raised. */
function alarmLine({ event, raised, raisedAtMs }: Alarm): object {
  const { windowEnd: time, pValue: p, ...fields } = event;
  return {
    time,
    raisedAt: raisedAtMs,
    raisedCause: raised.cause,
    raisedFeature: raised.feature,
    p,
    ...fields,
    windowEnd: time,
  };
}
