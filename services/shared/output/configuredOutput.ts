import type { ModelSettings } from '../config/settings.ts';
import type { OutputSettings } from './outputMeaning.ts';

/** Returns what the settings of a model say about its output. */
export function configuredOutput({ positiveLabel, output }: ModelSettings): OutputSettings {
  return { ...(positiveLabel !== undefined && { positiveLabel }), ...output };
}
