import type { InputKind, InputMapping } from '../../services/shared/config/inputs.ts';
import { describeDuration } from '../../services/shared/duration.ts';
import { isPlausibleTime } from '../../services/shared/records/checkRecord.ts';
import type { Progress } from '../terminal/progress.ts';
import { readRecords } from './readRecords.ts';
import { type ReplayLine, replayLine } from './replayLine.ts';
import { Spool } from './spool.ts';

/** A file of a replay, and what is in it. */
export interface ReplayFile {
  path: string;
  kind: InputKind;
  mapping: InputMapping | null;
}

/** The lines of a file, and the order in which they are to be sent. */
export interface SpooledFile {
  spool: Spool;
  order: 'of file' | 'of time';
}

/**
 * Reads a file to its end. A log keeps its order, because its late records belong to it. A file in
 * which a line is behind an earlier one by more than records may be late is an export in another
 * order, and is sent in the order of time.
 * @param path temporary file for the lines
 */
export async function spoolFile(
  file: ReplayFile,
  path: string,
  gracePeriodMs: number,
  progress: Progress,
  signal: AbortSignal,
): Promise<SpooledFile> {
  const spool = new Spool(path);
  await spool.write(replayLines(file, signal), count =>
    progress.update(`reading ${file.path}: ${count.toLocaleString('en')} lines`),
  );
  const { disorder } = spool;
  if (disorder === null || disorder.behindMs <= gracePeriodMs) return { spool, order: 'of file' };
  progress.step(
    `${file.path} is not in the order of time: line ${disorder.line} is ` +
      `${describeDuration(disorder.behindMs)} behind line ${disorder.behindLine}, and records may ` +
      `be ${describeDuration(gracePeriodMs)} late. The lines are sent in the order of time.`,
  );
  return { spool, order: 'of time' };
}

async function* replayLines(
  { path, kind, mapping }: ReplayFile,
  signal: AbortSignal,
): AsyncGenerator<ReplayLine[]> {
  for await (const lines of readRecords(path, kind, mapping)) {
    signal.throwIfAborted();
    yield lines.map(line => withPlausibleTime(replayLine(line)));
  }
}

/** Takes away a time for which a service refuses the line: it says nothing about the order. */
function withPlausibleTime(line: ReplayLine): ReplayLine {
  return line.timeMs === null || isPlausibleTime(line.timeMs, Date.now())
    ? line
    : { ...line, timeMs: null };
}
