import type { ModelSettings, Settings } from '../../services/shared/config/settings.ts';

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/**
 * Returns the content of a file that names every setting, of a model without settings of its own
 * and of each that has some.
 */
export function effectiveSettings(settings: Settings): {
  inputs?: readonly object[];
  defaults: object;
  models?: object;
} {
  return {
    ...(settings.inputs.length > 0 && { inputs: settings.inputs }),
    defaults: writable(settings.of('')),
    ...(settings.configuredModels.length > 0 && {
      models: Object.fromEntries(
        settings.configuredModels.map(model => [model, writable(settings.of(model))]),
      ),
    }),
  };
}

/**
 * Returns the settings of a model as a person writes them: under the names of the file, with
 * durations such as 1h.
 */
function writable(settings: ModelSettings): object {
  const { windowSizeMs, outOfOrdernessMs, gracePeriodMs, deduplicationMs, idleMs, ...others } =
    settings;
  const { watchMs, cooldownMs, timeoutMs, maximumAgeMs, ...retraining } = others.retraining;
  return {
    window: formatDuration(windowSizeMs),
    outOfOrderness: formatDuration(outOfOrdernessMs),
    gracePeriod: formatDuration(gracePeriodMs),
    deduplication: formatDuration(deduplicationMs),
    idle: formatDuration(idleMs),
    ...others,
    retraining: {
      ...retraining,
      watch: formatDuration(watchMs),
      cooldown: formatDuration(cooldownMs),
      timeout: formatDuration(timeoutMs),
      ...(maximumAgeMs !== undefined && { maximumAge: formatDuration(maximumAgeMs) }),
    },
  };
}

function formatDuration(milliseconds: number): string {
  const [unit, size] =
    units.find(([, unitMs]) => milliseconds > 0 && milliseconds % unitMs === 0) ?? units.at(-1)!;
  return `${milliseconds / size}${unit}`;
}
