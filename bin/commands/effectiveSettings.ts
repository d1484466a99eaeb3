import type { Settings } from '../../services/shared/config/settings.ts';

/** Settings that are durations, wherever they stand. */
const durations = new Set([
  'window',
  'allowedLateness',
  'horizon',
  'deduplication',
  'idle',
  'cooldown',
  'timeout',
]);
const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** The content of a settings file that names every setting: those of a model that is not configured, and of each that is. */
export function effectiveSettings(settings: Settings): object {
  return {
    defaults: writable(settings.of('')),
    ...(settings.configuredModels.length > 0 && {
      models: Object.fromEntries(
        settings.configuredModels.map(model => [model, writable(settings.of(model))]),
      ),
    }),
  };
}

/** As a person writes it, with durations such as 1h. */
function writable(values: object): object {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => {
        if (durations.has(name)) return [name, formatDuration(value)];
        return [name, typeof value === 'object' && !Array.isArray(value) ? writable(value) : value];
      }),
  );
}

function formatDuration(milliseconds: number): string {
  const [unit, size] =
    units.find(([, unitMs]) => milliseconds > 0 && milliseconds % unitMs === 0) ?? units.at(-1)!;
  return `${milliseconds / size}${unit}`;
}
