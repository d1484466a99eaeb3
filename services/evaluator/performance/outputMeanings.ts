import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { Settings } from '../../shared/config/settings.ts';
import { configuredOutput } from '../../shared/output/configuredOutput.ts';
import { decideMeanings } from '../../shared/output/decideMeanings.ts';
import {
  insertMeanings,
  type StoredMeaning,
  storedMeanings,
} from '../../shared/output/meaningStore.ts';
import { meaningKey } from '../../shared/output/outputMeaning.ts';
import { versionKey } from '../../shared/versionKey.ts';
import type { VersionWindows } from '../windows/versionWindows.ts';

/**
 * Returns what the outputs of versions mean, by `versionKey`. A version without outcomes is absent.
 *
 * A meaning is decided from the first labelled predictions of a version in event time, so that it
 * does not depend on the order in which they came. It is stored, and decided again only when
 * outcomes of that period change, while the period is not complete, or when settings have changed.
 *
 * Several evaluators may decide at once. The last to read the outcomes has seen all of them, and
 * each reads again after it has written, so the one that wrote last corrects itself.
 *
 * @param changed windows whose outcomes have changed
 */
export async function outputMeanings(
  clickhouse: Clickhouse,
  settings: Settings,
  changed: readonly VersionWindows[],
): Promise<Map<string, StoredMeaning>> {
  const meanings = await storedMeanings(clickhouse, changed);
  const undecided = changed.filter(version => {
    const stored = meanings.get(versionKey(version));
    return stored === undefined || !holds(stored, version, settings);
  });
  if (undecided.length === 0) return meanings;
  const decided = await decideMeanings(clickhouse, undecided, model => settings.of(model));
  await insertMeanings(
    clickhouse,
    [...decided].flatMap(([key, made]) => (isSame(meanings.get(key), made) ? [] : [made])),
  );
  return new Map([...meanings, ...decided]);
}

/** Returns whether a stored meaning cannot have become another one. */
function holds(
  { untilMs, settings: decidedWith }: StoredMeaning,
  { model, startsMs }: VersionWindows,
  settings: Settings,
): boolean {
  if (untilMs === null) return false;
  if (JSON.stringify(decidedWith) !== JSON.stringify(configuredOutput(settings.of(model))))
    return false;
  return [...startsMs].every(startMs => startMs > untilMs);
}

function isSame(one: StoredMeaning | undefined, other: StoredMeaning): boolean {
  return (
    one !== undefined &&
    meaningKey(one.meaning) === meaningKey(other.meaning) &&
    one.untilMs === other.untilMs &&
    one.records === other.records &&
    JSON.stringify(one.settings) === JSON.stringify(other.settings)
  );
}
