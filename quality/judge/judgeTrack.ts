import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSettings } from '../../services/shared/config/settings.ts';
import { withSignals } from '../counting/signals.ts';
import { countGenerated } from '../streams/generatedStream.ts';
import type { Track } from '../streams/tracks.ts';
import { alarmLines } from './alarmLines.ts';
import { type Alarm, type JudgedStream, judgeStream } from './judgeStream.ts';

/**
 * Judges the generated streams of a track with the default settings of the services.
 * @param out folder for their drift events, one file per stream; undefined to write none
 */
export function judgeTrack(
  { streams, signals, labelling }: Track,
  repeats: number,
  out: string | undefined,
  onStream: (name: string) => void,
): JudgedStream[] {
  const judged: JudgedStream[] = [];
  for (const stream of streams(repeats)) {
    onStream(stream.name);
    const counted = countGenerated(stream, labelling);
    const { detection } = parseSettings('', 'defaults').of(stream.name);
    const alarms: Alarm[] = counted ? judgeStream(withSignals(counted, signals), detection) : [];
    if (out !== undefined) writeFileSync(join(out, `${stream.name}.jsonl`), alarmLines(alarms));
    const { truth, windowSizeMs } = stream;
    const labelDelay = truth.rowAt(labelling.delayMs) - truth.rowAt(0);
    const windowRows = truth.rowAt(windowSizeMs) - truth.rowAt(0);
    const daysMonitored = ((counted?.windows.length ?? 0) * windowSizeMs) / 86_400_000;
    judged.push({ truth: { ...truth, labelDelay }, windowRows, daysMonitored, alarms });
  }
  return judged;
}
