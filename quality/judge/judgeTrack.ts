import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSettings } from '../../services/shared/config/settings.ts';
import { withSignals } from '../counting/signals.ts';
import type { StreamCache } from '../counting/streamCache.ts';
import type { WindowedStream } from '../counting/windowCounter.ts';
import { countGenerated, type GeneratedStream } from '../streams/generatedStream.ts';
import type { Track } from '../streams/tracks.ts';
import { alarmLines } from './alarmLines.ts';
import { type Alarm, type JudgedStream, judgeStream } from './judgeStream.ts';

export interface TrackOptions {
  repeats: number;
  /** Only streams whose name contains this text are judged. */
  only?: string;
  /** Folder for their drift events, one file per stream. Without it none is written. */
  out?: string;
  /** Keeps the counted windows of the streams that ask for it. */
  cache?: StreamCache;
  onStream(name: string): void;
}

/** Judges the generated streams of a track with the default settings of the services. */
export async function judgeTrack(
  track: Track,
  { repeats, only = '', out, cache, onStream }: TrackOptions,
): Promise<JudgedStream[]> {
  const judged: JudgedStream[] = [];
  for (const stream of track.streams(repeats)) {
    if (!stream.name.includes(only)) continue;
    onStream(stream.name);
    const counted = await countedStream(stream, track, cache);
    const { detection } = parseSettings('', 'defaults').of(stream.name);
    const alarms: Alarm[] = counted
      ? judgeStream(withSignals(counted, track.signals), detection)
      : [];
    if (out !== undefined) writeFileSync(join(out, `${stream.name}.jsonl`), alarmLines(alarms));
    const { truth, windowSizeMs, expectation = null } = stream;
    const { delayMs } = stream.labelling ?? track.labelling;
    const labelDelay = truth.rowAt(delayMs) - truth.rowAt(0);
    const windowRows = truth.rowAt(windowSizeMs) - truth.rowAt(0);
    const daysMonitored = ((counted?.windows.length ?? 0) * windowSizeMs) / 86_400_000;
    judged.push({
      truth: { ...truth, labelDelay },
      windowRows,
      daysMonitored,
      expectation,
      alarms,
    });
  }
  return judged;
}

async function countedStream(
  stream: GeneratedStream,
  track: Track,
  cache: StreamCache | undefined,
): Promise<WindowedStream | null> {
  const labelling = stream.labelling ?? track.labelling;
  const count = () => countGenerated(stream, labelling);
  if (!cache || !stream.isKept) return count();
  return cache.get(
    [],
    [stream.name, stream.windowSizeMs, labelling.delayMs, labelling.rate],
    count,
  );
}
