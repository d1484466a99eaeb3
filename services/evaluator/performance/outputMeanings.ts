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
import type { MeaningPublisher } from './meaningPublisher.ts';

/**
 * Decides, publishes and stores what the outputs of versions mean.
 *
 * A meaning is decided from the first labelled predictions of a version in event time, so that it
 * does not depend on the order in which they came. It is decided again only when outcomes of that
 * period change, while the period is not complete, or when settings have changed.
 *
 * Several evaluators may decide at once. The last to read the outcomes has seen all of them, and
 * each reads again after it has written, so the one that wrote last corrects itself.
 */
export class OutputMeanings {
  readonly #clickhouse: Clickhouse;
  readonly #settings: Settings;
  readonly #publisher: MeaningPublisher;

  constructor(clickhouse: Clickhouse, settings: Settings, publisher: MeaningPublisher) {
    this.#clickhouse = clickhouse;
    this.#settings = settings;
    this.#publisher = publisher;
  }

  /**
   * Returns what the outputs of versions mean, by `versionKey`. A version without outcomes is
   * absent.
   *
   * @param changed windows whose outcomes have changed
   */
  async of(changed: readonly VersionWindows[]): Promise<Map<string, StoredMeaning>> {
    const stored = await storedMeanings(this.#clickhouse, changed);
    const undecided = changed.filter(version => {
      const known = stored.get(versionKey(version));
      return known === undefined || !holds(known, version, this.#settings);
    });
    if (undecided.length === 0) return stored;
    const decided = await decideMeanings(this.#clickhouse, undecided, model =>
      this.#settings.of(model),
    );
    const made = [...decided];
    const news = made.filter(([key, meaning]) => isNews(stored.get(key), meaning));
    await this.#publisher.publish(news.map(([, meaning]) => meaning));
    const others = made.filter(([key, meaning]) => !isSame(stored.get(key), meaning));
    await insertMeanings(
      this.#clickhouse,
      others.map(([, meaning]) => meaning),
    );
    return new Map([...stored, ...decided]);
  }
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

/** Returns whether a meaning is another one, rests on other times, or has become final. */
function isNews(before: StoredMeaning | undefined, now: StoredMeaning): boolean {
  return (
    before === undefined ||
    meaningKey(before.meaning) !== meaningKey(now.meaning) ||
    before.fromMs !== now.fromMs ||
    before.untilMs !== now.untilMs
  );
}

function isSame(before: StoredMeaning | undefined, now: StoredMeaning): boolean {
  return (
    !isNews(before, now) &&
    before!.records === now.records &&
    JSON.stringify(before!.settings) === JSON.stringify(now.settings)
  );
}
