import type { WindowUpdate } from '../contracts.ts';
import type { VersionName } from '../versionKey.ts';

/**
 * Returns an announcement that concerns a version as a whole, and no window or partition of it in
 * particular.
 */
export function versionUpdate(
  kind: 'reference' | 'end',
  { model, version }: VersionName,
  windowSizeMs: number,
): WindowUpdate {
  return {
    kind,
    model,
    version,
    sourcePartition: -1,
    watermark: null,
    windowSizeMs,
    windowStarts: [],
  };
}
