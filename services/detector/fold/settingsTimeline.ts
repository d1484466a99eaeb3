import type { ModelSettings } from '../../shared/config/settings.ts';

type DetectionSettings = ModelSettings['detection'];

/** Settings for all windows from a start time on, until the next epoch. */
export interface SettingsEpoch {
  fromMs: number;
  detection: DetectionSettings;
}

/**
 * Epochs of the settings, the oldest first. The first one also applies to all windows before it.
 */
export type SettingsTimeline = readonly SettingsEpoch[];

/**
 * Maximum number of remembered changes. Windows before the oldest of them are judged with its
 * settings.
 */
const maxEpochs = 32;

/**
 * Returns the timeline with new settings for windows from a start time on. Changed settings apply
 * from the next window on. Earlier verdicts stay as they are, even when late data has those windows
 * judged again.
 */
export function withSettings(
  timeline: SettingsTimeline,
  detection: DetectionSettings,
  fromMs: number,
): SettingsTimeline {
  const last = timeline.at(-1);
  if (last && identity(last.detection) === identity(detection)) return timeline;
  return [...timeline.filter(epoch => epoch.fromMs < fromMs), { fromMs, detection }].slice(
    -maxEpochs,
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
