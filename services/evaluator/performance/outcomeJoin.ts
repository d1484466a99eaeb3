import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import { queryPortions } from '../../shared/clickhouse/queryPortions.ts';
import type { Settings } from '../../shared/config/settings.ts';
import type { Feedback } from '../../shared/contracts.ts';
import { maxWindowsPerQuery } from '../windows/conditions.ts';
import { forgetIfFull } from '../windows/savedQueries.ts';
import {
  addWindows,
  type PartitionWindows,
  portionsOfWindows,
  type VersionWindows,
} from '../windows/versionWindows.ts';
import {
  joinOutcomesById,
  joinOutcomesOfWindows,
  type UnjoinedWindows,
} from './store/joinOutcomes.ts';
import { storedOffsets } from './store/storedOffsets.ts';
import { windowsOfFeedback } from './store/windowsOfFeedback.ts';

/**
 * Joins predictions with feedback, from both sides. Each side is stored before it looks for the
 * other, so whichever is stored last finds the other.
 *
 * Invariant: if an offset is known for a window of a partition, its predictions up to that offset
 * are stored and have met all feedback that was stored before them. Later feedback finds them by
 * their ids. To forget an offset costs work, and nothing else.
 */
export class OutcomeJoin {
  readonly #clickhouse: Clickhouse;
  readonly #settings: Settings;
  /** By `partitionKey` and start of the window. */
  readonly #joinedOffsets = new Map<string, number>();

  constructor(clickhouse: Clickhouse, settings: Settings) {
    this.#clickhouse = clickhouse;
    this.#settings = settings;
  }

  /** Number of windows whose joined offset is known. */
  get size(): number {
    return this.#joinedOffsets.size;
  }

  reset(): void {
    this.#joinedOffsets.clear();
  }

  /**
   * Joins stored feedback with the predictions that are stored already.
   *
   * @returns the windows of these predictions, the number of ids without one, and the models of
   * feedback among which there are such ids ('' for feedback that names none)
   */
  async joinFeedback(
    feedback: readonly Feedback[],
  ): Promise<{ windows: VersionWindows[]; waitingIds: number; waitingModels: Set<string> }> {
    // The windows of an id that comes several times are found once.
    const distinct = new Map(feedback.map(value => [`${value.model ?? ''} ${value.id}`, value]));
    const windows = new Map<string, VersionWindows>();
    const waitingModels = new Set<string>();
    let waitingIds = 0;
    for (const portion of queryPortions(
      distinct.values(),
      ({ id, model }) => `${id}${model ?? ''}`,
    )) {
      await joinOutcomesById(
        this.#clickhouse,
        portion.map(({ id }) => id),
      );
      const found = await windowsOfFeedback(this.#clickhouse, portion, this.#settings);
      for (const { startMs, ...version } of found.windows) addWindows(windows, version, [startMs]);
      waitingIds += Math.max(0, portion.length - found.ids);
      if (portion.length > found.ids)
        for (const { model } of portion) waitingModels.add(model ?? '');
    }
    return { windows: [...windows.values()], waitingIds, waitingModels };
  }

  /** Joins the stored predictions of windows with the feedback that came before them. */
  async joinPredictions(announced: readonly PartitionWindows[]): Promise<void> {
    if (announced.length === 0) return;
    // Offsets are read before the join, so that the predictions up to them are stored already.
    const offsets = new Map(
      (await storedOffsets(this.#clickhouse, announced)).map(row => [
        partitionKey(row),
        row.lastOffset,
      ]),
    );
    const unjoined = announced.flatMap(windows => this.#unjoined(windows));
    const bySize = Map.groupBy(unjoined, ({ model }) => this.#settings.of(model).windowSizeMs);
    for (const [windowSizeMs, windows] of bySize) {
      for (const portion of portionsOfWindows(windows, maxWindowsPerQuery))
        await joinOutcomesOfWindows(this.#clickhouse, portion, windowSizeMs);
    }
    forgetIfFull(this.#joinedOffsets);
    for (const windows of announced) {
      const key = partitionKey(windows);
      const offset = offsets.get(key);
      if (offset === undefined) continue;
      for (const startMs of windows.startsMs) this.#joinedOffsets.set(`${key}${startMs}`, offset);
    }
  }

  /** Groups windows of a partition by the offset up to which they have been joined. */
  #unjoined(windows: PartitionWindows): UnjoinedWindows[] {
    const key = partitionKey(windows);
    const byOffset = Map.groupBy(
      windows.startsMs,
      startMs => this.#joinedOffsets.get(`${key}${startMs}`) ?? -1,
    );
    return [...byOffset].map(([joinedOffset, startsMs]) => ({
      ...windows,
      joinedOffset,
      startsMs: new Set(startsMs),
    }));
  }
}

/** A map's key for a partition of a version's predictions. */
export function partitionKey({
  model,
  version,
  sourcePartition,
}: Omit<PartitionWindows, 'startsMs'>): string {
  return JSON.stringify([model, version, sourcePartition]);
}
