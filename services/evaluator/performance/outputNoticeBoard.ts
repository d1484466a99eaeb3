import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { StoredMeaning } from '../../shared/output/meaningStore.ts';
import { meaningKey } from '../../shared/output/outputMeaning.ts';
import type { NoticeSink } from '../../shared/service/noticeSink.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import { forgetIfFull } from '../windows/savedQueries.ts';
import { neverMatchNotice, outputNotices } from './quality/outputNotices.ts';
import { newestOutcomes } from './store/newestOutcomes.ts';
import { versionsWithStrayLabels } from './store/strayLabels.ts';

/** A version whose windows were computed. */
export interface ComputedVersion {
  stored: StoredMeaning;
  /** True if a computed window has outcomes that are set apart. */
  hasSetApart: boolean;
}

const ofOutput = 'output';
const ofLabels = 'labels';

/**
 * States what is odd in the outputs and labels of versions.
 *
 * Invariant: `#told` has the meaning whose notices were stated last. They are looked for again only
 * if the meaning is another one, or if something is or was set apart. To forget it costs a query,
 * and nothing else.
 */
export class OutputNoticeBoard {
  readonly #clickhouse: Clickhouse;
  readonly #notices: NoticeSink;
  /** By `versionKey`. */
  readonly #told = new Map<string, string>();
  /** Outcomes that are set apart in the newest windows, by `versionKey`; absent if there are none. */
  readonly #setApart = new Map<string, number>();
  /** Versions of which no label matches, by `versionKey`. */
  readonly #unmatched = new Map<string, true>();

  constructor(clickhouse: Clickhouse, notices: NoticeSink) {
    this.#clickhouse = clickhouse;
    this.#notices = notices;
  }

  /** Outcomes that are set apart in the newest windows of all versions. */
  get setApart(): number {
    return [...this.#setApart.values()].reduce((sum, count) => sum + count, 0);
  }

  reset(): void {
    this.#told.clear();
    this.#setApart.clear();
    this.#unmatched.clear();
    this.#notices.clear();
  }

  /** States the notices of versions whose windows were computed. */
  async stateOutputs(computed: readonly ComputedVersion[]): Promise<void> {
    const looked = computed.filter(
      ({ stored, hasSetApart }) =>
        hasSetApart ||
        this.#setApart.has(versionKey(stored)) ||
        this.#told.get(versionKey(stored)) !== toldOf(stored),
    );
    if (looked.length === 0) return;
    const newest = await newestOutcomes(
      this.#clickhouse,
      looked.map(({ stored }) => stored),
    );
    forgetIfFull(this.#told);
    forgetIfFull(this.#setApart);
    for (const { stored } of looked) {
      const key = versionKey(stored);
      const outcomes = newest.get(key);
      if (!outcomes) continue;
      const notices = outputNotices(stored, outcomes);
      this.#notices.state(stored, ofOutput, notices, outcomes.all);
      // It has an outcome, so a label has found its prediction. The notice that said otherwise
      // cannot be right again.
      this.#notices.state(stored, ofLabels, [], Number.MAX_SAFE_INTEGER);
      if (outcomes.setApart > 0) this.#setApart.set(key, outcomes.setApart);
      else this.#setApart.delete(key);
      this.#told.set(key, toldOf(stored));
      this.#unmatched.delete(key);
    }
  }

  /**
   * States that no label of a version matches a prediction, for the models of labels that wait.
   *
   * @param models '' for labels that name none
   */
  async stateLabels(models: Iterable<string>): Promise<void> {
    const stray = await versionsWithStrayLabels(this.#clickhouse, [...new Set(models)]);
    forgetIfFull(this.#unmatched);
    for (const version of stray.filter(found => !this.#isTold(found))) {
      this.#notices.state(version, ofLabels, [neverMatchNotice(version)], version.predictions);
      this.#unmatched.set(versionKey(version), true);
    }
  }

  #isTold(version: VersionName): boolean {
    return this.#unmatched.has(versionKey(version));
  }
}

/** Returns a text that changes with all that notices say of a meaning. */
function toldOf({ meaning, fromMs }: StoredMeaning): string {
  return `${meaningKey(meaning)} ${meaning.disagreement} ${fromMs}`;
}
