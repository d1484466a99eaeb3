import type { ModelSettings } from '../../shared/config/settings.ts';

type DetectionSettings = ModelSettings['detection'];

/** Settings that windows from a start on are judged with. */
export interface SettingsEpoch {
  fromMs: number;
  detection: DetectionSettings;
}

/** Oldest first; the first is for all windows before it, too. */
export type SettingsTimeline = readonly SettingsEpoch[];

/**
 * So many changes of the settings are remembered; windows from before the oldest of them are judged
 * with its settings.
 */
const mostEpochs = 32;

/**
 * The timeline when windows from a start on have these settings. Changed settings count from the
 * next window on: what was decided before stays, also when late data has those windows judged
 * again.
 */
export function withSettings(
  timeline: SettingsTimeline,
  detection: DetectionSettings,
  fromMs: number,
): SettingsTimeline {
  const last = timeline.at(-1);
  if (last && identity(last.detection) === identity(detection)) return timeline;
  return [...timeline.filter(epoch => epoch.fromMs < fromMs), { fromMs, detection }].slice(
    -mostEpochs,
  );
}

export function detectionAt(timeline: SettingsTimeline, windowStartMs: number): DetectionSettings {
  const epoch = timeline.findLast(({ fromMs }) => fromMs <= windowStartMs) ?? timeline[0];
  if (!epoch) throw new RangeError('no detection settings');
  return epoch.detection;
}

function identity(detection: DetectionSettings): string {
  return JSON.stringify(
    Object.entries(detection).sort(([left], [right]) => (left < right ? -1 : 1)),
  );
}
