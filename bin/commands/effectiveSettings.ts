import type { Settings } from '../../services/shared/config/settings.ts';

/** Names of the settings that are durations, in any group. */
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

/**
 * Returns the content of a settings file that names every setting: those of a model that the file
 * does not name, and those of each model that it names.
 */
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

/** Returns settings as a person writes them, with durations such as 1h. */
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
