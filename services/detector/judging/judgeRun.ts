import type { ModelSettings } from '../../shared/config/settings.ts';
import type { DriftEvent } from '../../shared/contracts.ts';
import type { WindowObservation, WindowPerformance } from '../blocks/windowObservation.ts';
import { type PackedCheckpoint, packCheckpoint } from '../checkpoints/packedStates.ts';
import {
  type DriftEventChange,
  type DriftEventRevision,
  driftEventRevisions,
} from '../events/driftEventRevisions.ts';
import { thinnedCheckpoints } from '../fold/thinnedCheckpoints.ts';
import {
  type FoldedWindow,
  type FoldOptions,
  foldedMs,
  foldLabels,
  foldVersionWindow,
  nextLabelsMs,
  openEvents,
  type VersionFold,
} from '../fold/versionFold.ts';
import {
  type JudgedWindow,
  type JudgedWindowRevision,
  judgedWindowDigest,
  judgedWindowKey,
} from '../store/judgedWindow.ts';

/** What a run has to judge. All times are event times. */
export interface RunBounds {
  windowSizeMs: number;
  /** Windows that end by then were judged before. */
  judgedUntilMs: number;
  /**
   * Start of the first window that has changed since it was judged, in its inputs or its labels;
   * Infinity when none has.
   */
  changedFromMs: number;
  /** Windows that end by then are judged in this run. */
  untilMs: number;
  /** Whether judged windows get their drift metrics. Without them folding is faster. */
  withMetrics: boolean;
  /** As `FoldContext.acceptances`. */
  acceptances?: FoldOptions['acceptances'];
}

/** What a run has come to. */
export interface RunOutcome {
  fold: VersionFold;
  /** Windows that end by then are in the fold, or do not exist. */
  foldedUntilMs: number;
  /** Windows that end by then were judged, in this run or before. */
  judgedUntilMs: number;
  /** Checkpoints on the way to the newest states of the fold, oldest first. */
  passed: readonly PackedCheckpoint[];
  /** Revisions of drift events to publish, in this order. */
  revisions: readonly DriftEventRevision[];
}

/**
 * Judges windows of one model version in the order of time: those that have become ready, and again
 * those from the first changed one on. Where only labels changed, only these are folded again. It
 * does no input or output; the detector reads and writes around it, and quality measures it as it
 * is.
 *
 * The invariant: the fold holds the inputs of every window before `nextStartMs`, as they are now,
 * and none after. It holds the labels of the same windows, but for those from `nextLabelsMs` on,
 * which come first.
 * Every change of a drift event that the folded windows brought about is in one of two lists:
 * `rejudged` if the window had been judged before, so that only the outcome counts, and otherwise
 * `fresh`.
 *
 * @example
 * const run = new JudgeRun(rewound(fold, changedFromMs), bounds);
 * while (run.nextLabelsMs !== null) run.foldLabels(labels.get(run.nextLabelsMs), detection);
 * for (const [startMs, segments] of windows) run.foldWindow(startMs, segments, detection);
 * const { fold, revisions } = run.end(published);
 */
export class JudgeRun {
  readonly #bounds: RunBounds;
  /** Start of the first window that this run may fold. */
  readonly #refoldedFromMs: number;
  #fold: VersionFold;
  #noneLeft = false;
  #passed: readonly PackedCheckpoint[] = [];
  readonly #rejudged: DriftEventChange[];
  readonly #fresh: DriftEventChange[] = [];

  /** @param fold ends before the first changed window */
  constructor(fold: VersionFold, bounds: RunBounds) {
    this.#bounds = bounds;
    this.#fold = fold;
    this.#refoldedFromMs = foldedMs(fold) + 1;
    this.#rejudged = openEvents(fold).map(content => ({
      content,
      atMs: content.detectedAtEventTime,
    }));
  }

  /** The earliest start that the next window to fold can have. */
  get nextStartMs(): number {
    const last = this.#fold.checkpoints.at(-1);
    return last ? last.windowStartMs + 1 : Number.MIN_SAFE_INTEGER;
  }

  /** The start of the next window whose labels alone are to be folded; null if there is none. */
  get nextLabelsMs(): number | null {
    return nextLabelsMs(this.#fold);
  }

  /** The latest start that a window to fold can have. */
  get lastStartMs(): number {
    return this.#bounds.untilMs - this.#bounds.windowSizeMs;
  }

  /**
   * Whether the run may end here, although more windows may be ready. Until all windows that were
   * judged before are folded, the outcome of their drift events is not known.
   */
  get mayEnd(): boolean {
    const { untilMs, judgedUntilMs } = this.#bounds;
    return this.nextLabelsMs === null && this.#foldedUntilMs >= Math.min(untilMs, judgedUntilMs);
  }

  /**
   * Folds the next window.
   * @param segments the window in each segment that has it
   * @param stored what was written of windows that were judged before, by `judgedWindowKey`
   * @returns the segments whose verdict or metrics differ from what was written
   */
  foldWindow(
    startMs: number,
    segments: ReadonlyMap<string, WindowObservation>,
    detection: ModelSettings['detection'],
    stored: ReadonlyMap<string, JudgedWindowRevision> = new Map(),
  ): JudgedWindow[] {
    if (startMs < this.nextStartMs || this.nextLabelsMs !== null)
      throw new RangeError('windows are folded in the order of time');
    const isJudged = this.#isJudged(startMs);
    const { withMetrics: mayHaveMetrics, acceptances } = this.#bounds;
    const foldFrom = (fold: VersionFold, withMetrics: boolean) =>
      foldVersionWindow(fold, startMs, segments, { detection, acceptances, withMetrics });
    const before = this.#fold;
    const { fold, folded } = foldFrom(before, isJudged && mayHaveMetrics);
    this.#fold = fold;
    for (const window of folded) this.#noteChange(window);
    if (isJudged) return folded.flatMap(window => newRevision(window, stored));
    if (!mayHaveMetrics || !folded.some(hasChange)) return [];
    return foldFrom(before, true)
      .folded.filter(hasChange)
      .flatMap(window => newRevision(window, stored));
  }

  /**
   * Folds the labels of the window that starts at `nextLabelsMs`, whose inputs are in the fold.
   * @param performances in each segment that has labels
   * @param stored as in `foldWindow`
   * @returns the segments whose verdict or metrics of labels differ from what was written
   */
  foldLabels(
    performances: ReadonlyMap<string, WindowPerformance>,
    detection: ModelSettings['detection'],
    stored: ReadonlyMap<string, JudgedWindowRevision> = new Map(),
  ): JudgedWindow[] {
    const isJudged = this.#isJudged(this.nextLabelsMs!) && performances.size > 0;
    const { withMetrics, acceptances } = this.#bounds;
    const { fold, folded } = foldLabels(this.#fold, performances, {
      detection,
      acceptances,
      withMetrics: isJudged && withMetrics,
    });
    this.#fold = fold;
    for (const window of folded) this.#noteChange(window);
    if (!isJudged) return [];
    return folded
      .filter(({ segment }) => performances.has(segment))
      .flatMap(window => newRevision(window, stored));
  }

  /** Notes that no windows are left up to the end of the run. */
  noteNoneLeft(): void {
    this.#noneLeft = true;
  }

  /** Keeps the newest states of the fold as one of the checkpoints that were passed. */
  keepCheckpoint(): void {
    const packed = packCheckpoint(this.#fold);
    if (packed) this.#passed = thinnedCheckpoints([...this.#passed, packed]);
  }

  /**
   * Ends the run.
   * @param published newest revisions, by id, of drift events that are open or that the run may
   *   have changed
   */
  end(published: ReadonlyMap<string, DriftEvent>): RunOutcome {
    if (!this.mayEnd) throw new Error('windows that were judged before are left to fold');
    const { judgedUntilMs, windowSizeMs } = this.#bounds;
    return {
      fold: this.#fold,
      foldedUntilMs: this.#foldedUntilMs,
      judgedUntilMs: Math.max(judgedUntilMs, this.#lastEndMs),
      passed: this.#passed,
      revisions: driftEventRevisions(
        published,
        this.#rejudged,
        this.#fresh,
        this.#refoldedFromMs,
        windowSizeMs,
      ),
    };
  }

  get #foldedUntilMs(): number {
    return this.#noneLeft ? this.#bounds.untilMs : this.#lastEndMs;
  }

  get #lastEndMs(): number {
    const last = this.#fold.checkpoints.at(-1);
    return last ? last.windowStartMs + this.#bounds.windowSizeMs : Number.NEGATIVE_INFINITY;
  }

  /**
   * Windows that were judged before and have not changed are only folded. Those that change a drift
   * event are an exception: the event names their metrics, which must be those of this release.
   */
  #isJudged(startMs: number): boolean {
    const { changedFromMs, judgedUntilMs } = this.#bounds;
    return startMs >= Math.min(changedFromMs, judgedUntilMs);
  }

  #noteChange({ observation, verdict }: FoldedWindow): void {
    const wasJudged = observation.endMs <= this.#bounds.judgedUntilMs;
    const changes = wasJudged ? this.#rejudged : this.#fresh;
    for (const content of verdict.changes) changes.push({ content, atMs: observation.endMs });
  }
}

function hasChange({ verdict }: FoldedWindow): boolean {
  return verdict.changes.length > 0;
}

/** Returns the window with its next revision, or nothing if its result has been written. */
function newRevision(
  window: FoldedWindow,
  stored: ReadonlyMap<string, JudgedWindowRevision>,
): JudgedWindow[] {
  const known = stored.get(judgedWindowKey(window.segment, window.observation.startMs));
  const digest = judgedWindowDigest(window, known);
  if (known?.digest === digest) return [];
  return [{ ...window, revision: (known?.revision ?? 0) + 1, digest }];
}
