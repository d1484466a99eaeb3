import type { WindowRange } from '../store/windowRange.ts';
import type { LiveVersion } from './watchedVersion.ts';

/**
 * Returns the windows whose labels are to be folded again although their inputs are not.
 * @param fromMs start of the first one; null if there is none
 */
export function labelsRange(
  { model, version, settings, live }: LiveVersion,
  fromMs: number | null,
): WindowRange | null {
  if (fromMs === null) return null;
  const { windowSizeMs } = settings;
  const toMs = live.fold.checkpoints.at(-1)!.windowStartMs;
  return { model, version, windowSizeMs, fromMs, toMs };
}
