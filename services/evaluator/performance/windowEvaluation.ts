import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { Settings } from '../../shared/config/settings.ts';
import type { StoredMeaning } from '../../shared/output/meaningStore.ts';
import { meaningKey, type OutputMeaning } from '../../shared/output/outputMeaning.ts';
import type { ServiceMetrics } from '../../shared/service/metrics.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import { maxWindowsPerQuery } from '../windows/conditions.ts';
import { forgetIfFull } from '../windows/savedQueries.ts';
import { addWindows, portionsOfWindows, type VersionWindows } from '../windows/versionWindows.ts';
import type { OutputMeanings } from './outputMeanings.ts';
import type { OutputNoticeBoard } from './outputNoticeBoard.ts';
import { insertPerformance } from './store/insertPerformance.ts';
import { type Evaluation, selectPerformance } from './store/selectPerformance.ts';
import { windowsDecidedOtherwise } from './store/windowsDecidedOtherwise.ts';

type Decisions = ReadonlyMap<string, StoredMeaning>;

/** What was written, by `versionKey`. */
interface Written {
  windows: Map<string, VersionWindows>;
  withSetApart: Set<string>;
}

/**
 * Computes the quality of windows from their outcomes.
 *
 * Invariant: if a decision is known for a version, every stored window of the version was computed
 * under it. Several evaluators can work on the same windows: each writes its outcomes before it
 * reads those of a window, so the last to read has seen all of them, and its row has the highest
 * progress.
 */
export class WindowEvaluation {
  readonly #clickhouse: Clickhouse;
  readonly #settings: Settings;
  readonly #metrics: ServiceMetrics;
  readonly #meanings: OutputMeanings;
  readonly #noticeBoard: OutputNoticeBoard;
  /** By `versionKey`. */
  readonly #decisions = new Map<string, StoredMeaning>();

  constructor(
    clickhouse: Clickhouse,
    settings: Settings,
    metrics: ServiceMetrics,
    meanings: OutputMeanings,
    noticeBoard: OutputNoticeBoard,
  ) {
    this.#clickhouse = clickhouse;
    this.#settings = settings;
    this.#metrics = metrics;
    this.#meanings = meanings;
    this.#noticeBoard = noticeBoard;
  }

  /** Number of versions whose decision is known. */
  get size(): number {
    return this.#decisions.size;
  }

  reset(): void {
    this.#decisions.clear();
  }

  /** Returns the meaning under which the windows of a version were computed, if it is known. */
  meaningOf(version: VersionName): OutputMeaning | undefined {
    return this.#decisions.get(versionKey(version))?.meaning;
  }

  /**
   * Computes windows, and all other windows of a version if its outputs have come to mean something
   * else. The decision is made again after the rows are written, because another evaluator may have
   * stored outcomes meanwhile without seeing rows that were not there yet.
   *
   * @param changed windows are added to it
   * @returns the windows that have rows
   */
  async evaluate(changed: readonly VersionWindows[]): Promise<VersionWindows[]> {
    const written: Written = { windows: new Map(), withSetApart: new Set() };
    let pending = changed;
    while (pending.length > 0) {
      const decisions = await this.#meanings.of(pending);
      pending = pending.filter(version => decisions.has(versionKey(version)));
      await this.#addWindowsDecidedOtherwise(pending, decisions);
      await this.#computeAndWrite(pending, decisions, written);
      const decisionsNow = await this.#meanings.of(pending);
      pending = pending.filter(version => {
        const key = versionKey(version);
        return !isSameMeaning(decisions.get(key)?.meaning, decisionsNow.get(key)?.meaning);
      });
    }
    await this.#stateNotices(written);
    return [...written.windows.values()];
  }

  /** States what is odd in the versions whose windows were computed. */
  async #stateNotices({ windows, withSetApart }: Written): Promise<void> {
    const computed = [...windows.keys()].flatMap(key => {
      const stored = this.#decisions.get(key);
      return stored ? [{ stored, hasSetApart: withSetApart.has(key) }] : [];
    });
    await this.#noticeBoard.stateOutputs(computed);
  }

  async #addWindowsDecidedOtherwise(
    pending: readonly VersionWindows[],
    decisions: Decisions,
  ): Promise<void> {
    for (const windows of pending) {
      const { meaning } = decisions.get(versionKey(windows))!;
      if (isSameMeaning(this.meaningOf(windows), meaning)) continue;
      const startsMs = await windowsDecidedOtherwise(
        this.#clickhouse,
        windows,
        meaning,
        this.#settings.of(windows.model).windowSizeMs,
      );
      for (const startMs of startsMs) windows.startsMs.add(startMs);
    }
  }

  async #computeAndWrite(
    pending: readonly VersionWindows[],
    decisions: Decisions,
    written: Written,
  ): Promise<void> {
    const evaluationOf = (windows: VersionWindows): Evaluation => {
      const { windowSizeMs, segments } = this.#settings.of(windows.model);
      const { meaning } = decisions.get(versionKey(windows))!;
      return { windowSizeMs, segmentNames: segments, meaning };
    };
    const alike = Map.groupBy(pending, windows => {
      const { meaning, ...others } = evaluationOf(windows);
      return JSON.stringify([others, meaningKey(meaning)]);
    });
    for (const versions of alike.values()) {
      const evaluation = evaluationOf(versions[0]!);
      for (const portion of portionsOfWindows(versions, maxWindowsPerQuery)) {
        const rows = await selectPerformance(this.#clickhouse, portion, evaluation);
        await insertPerformance(this.#clickhouse, rows);
        this.#metrics.rows.inc({ table: 'performance_windows' }, rows.length);
        for (const row of rows) {
          addWindows(written.windows, row, [row.startMs]);
          if (row.setApart > 0) written.withSetApart.add(versionKey(row));
        }
      }
    }
    forgetIfFull(this.#decisions);
    for (const [key, decision] of decisions) this.#decisions.set(key, decision);
  }
}

function isSameMeaning(one: OutputMeaning | undefined, other: OutputMeaning | undefined): boolean {
  return (one && meaningKey(one)) === (other && meaningKey(other));
}
