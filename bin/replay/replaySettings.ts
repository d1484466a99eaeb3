import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { readSettings } from '../../services/shared/config/settings.ts';
import { parseDurationMs } from '../../services/shared/duration.ts';
import { UserError } from '../../services/shared/userError.ts';

/**
 * Returns the text of the settings file of a replay: the file of the user, if there is one, with
 * another window size for every model, if one is given.
 * @throws UserError with every mistake in the file or the window size
 */
export function replaySettings(configFile: string | undefined, window: string | undefined): string {
  readSettings(configFile);
  const content = (configFile === undefined ? null : parse(readFileSync(configFile, 'utf8'))) ?? {};
  // They say how files are read here, and are no topics of the replay.
  delete content.inputs;
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
