import type { Notice } from '../../shared/service/notice.ts';
import type { VersionProgress } from './versionState.ts';

/** Fewer records than this may well have one time: they can be one batch. */
const minRecords = 1_000;

/**
 * Returns what is odd about the event times of a version in one source partition, or null while too
 * few records have come to say anything.
 */
export function timeNotices({
  predictions,
  firstEventTimeMs,
  maxEventTimeMs,
}: VersionProgress): Notice[] | null {
  if (predictions < minRecords) return null;
  if (firstEventTimeMs !== maxEventTimeMs) return [];
  const time = new Date(maxEventTimeMs).toISOString();
  return [
    {
      code: 'time-stands-still',
      subject: '',
      sinceMs: firstEventTimeMs,
      message: 'All predictions have the same time, so they are all in one window.',
      evidence: `Each of ${predictions.toLocaleString('en')} predictions of a partition has the time ${time}.`,
      advice: 'Log as `time` when each prediction was made.',
    },
  ];
}
