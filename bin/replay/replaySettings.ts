import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { readSettings } from '../../services/shared/config/settings.ts';
import { parseDurationMs } from '../../services/shared/duration.ts';
import { UserError } from '../../services/shared/userError.ts';

/**
 * Text of the settings file of a replay: that of the user, with another window for every model if one is given.
 * @throws UserError with every mistake of the file or the window
 */
export function replaySettings(configFile: string | undefined, window: string | undefined): string {
  readSettings(configFile);
  const content = (configFile === undefined ? null : parse(readFileSync(configFile, 'utf8'))) ?? {};
  if (window !== undefined) {
    const windowSizeMs = parseDurationMs(window);
    if (windowSizeMs === null || windowSizeMs < 1000) {
      throw new UserError(
        `--window: expected a duration of at least 1s, such as 15m, 1h, 1d (got ${JSON.stringify(window)})`,
      );
    }
    content.defaults = { ...content.defaults, window };
    for (const model of Object.values<Record<string, unknown> | null>(content.models ?? {})) {
      if (model) model.window = window;
    }
  }
  return stringify(content);
}
