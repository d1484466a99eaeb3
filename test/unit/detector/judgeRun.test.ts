import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WindowObservation } from '../../../services/detector/blocks/windowObservation.ts';
import { unpackStates } from '../../../services/detector/checkpoints/packedStates.ts';
import type { DriftEventRevision } from '../../../services/detector/events/driftEventRevisions.ts';
import {
  detectionAt,
  type SettingsTimeline,
  withSettings,
} from '../../../services/detector/fold/settingsTimeline.ts';
import {
  begunFold,
  foldVersionWindow,
  rewound,
  type VersionFold,
} from '../../../services/detector/fold/versionFold.ts';
import { JudgeRun } from '../../../services/detector/judging/judgeRun.ts';
import type { GivenReference } from '../../../services/detector/reference/reference.ts';
import {
  type JudgedWindow,
  judgedWindowKey,
} from '../../../services/detector/store/judgedWindow.ts';
import type { DriftEvent } from '../../../services/shared/contracts.ts';
import { context, hourMs, type Randomness, syntheticWindows } from './syntheticStream.ts';

const windowCount = 60;
const onset = 30;
const detection = {
  ...context.detection,
  minimumRecords: 20,
  bootstrapWindows: 5,
  bootstrapRecords: 100,
};
/** Windows of 40 records are pooled by three. */
const coarseDetection = { ...detection, minimumRecords: 100 };

/** Returns windows of one feature that shifts from a given window on. */
function stream(seed: number, shiftedFrom: number): WindowObservation[] {
  const recordOf = (random: Randomness, window: number) => ({
    features: { x: random.normal() + (window < shiftedFrom ? 0 : 2) },
    prediction: random.uniform() < 0.5 ? 'up' : 'down',
  });
  return syntheticWindows({ seed, windows: windowCount, records: 40, recordOf });
}

/** The first contents of each window, and the contents after late data. */
const variants = [stream(1, onset), stream(2, 12)];
const reference: GivenReference = {
  id: 'r1',
  source: 'training',
  parts: stream(3, windowCount).slice(0, 10),
};

interface JudgeOptions {
  /** Number of windows after which a run ends if it may. */
  pageSize?: number;
  changedFrom?: number;
}

/** A version as the detector keeps it, with its tables in memory. */
class Version {
  readonly windows: WindowObservation[] = [];
  timeline: SettingsTimeline = withSettings([], detection, 0);
  given: GivenReference | null = null;
  readonly judged = new Map<string, JudgedWindow>();
  readonly events = new Map<string, DriftEvent>();
  #fold: VersionFold | null = null;
  #judgedUntilMs = Number.NEGATIVE_INFINITY;

  add(count: number): void {
    const from = this.windows.length;
    this.windows.push(...variants[0]!.slice(from, from + count));
  }

  /**
   * Judges the windows that are ready, and those from `changedFrom` on again. Returns what was new.
   */
  judge({ pageSize = windowCount, changedFrom }: JudgeOptions = {}) {
    const written: JudgedWindow[] = [];
    const published: DriftEventRevision[] = [];
    const untilMs = this.windows.length * hourMs;
    let changedFromMs = changedFrom === undefined ? Number.POSITIVE_INFINITY : changedFrom * hourMs;
    for (let foldedUntilMs = 0; foldedUntilMs < untilMs; ) {
      const run = this.#begin(changedFromMs, untilMs);
      written.push(...this.#foldPages(run, pageSize));
      const outcome = run.end(this.events);
      this.#fold = outcome.fold;
      this.#judgedUntilMs = outcome.judgedUntilMs;
      for (const { event } of outcome.revisions) this.events.set(event.id, event);
      published.push(...outcome.revisions);
      foldedUntilMs = outcome.foldedUntilMs;
      changedFromMs = Number.POSITIVE_INFINITY;
    }
    return { written, published };
  }

  /** Forgets the fold, as a new release does that cannot use the states of the one before. */
  forgetFold(): void {
    this.#fold = null;
  }

  #begin(changedFromMs: number, untilMs: number): JudgeRun {
    const fold = this.#fold && rewound(this.#fold, changedFromMs);
    const begun = begunFold({ model: 'm', version: '1' }, this.given);
    return new JudgeRun(fold && fold.checkpoints.length > 0 ? fold : begun, {
      windowSizeMs: hourMs,
      judgedUntilMs: this.#judgedUntilMs,
      changedFromMs,
      untilMs,
      withMetrics: true,
    });
  }

  #foldPages(run: JudgeRun, pageSize: number): JudgedWindow[] {
    const written: JudgedWindow[] = [];
    const left = this.windows.filter(({ startMs }) => startMs >= run.nextStartMs);
    for (const [index, { startMs }] of left.entries()) {
      const segments = segmentsOf(left[index]!);
      const settings = detectionAt(this.timeline, startMs);
      const news = run.foldWindow(startMs, segments, settings, this.judged);
      for (const window of news) this.judged.set(judgedWindowKey(window.segment, startMs), window);
      written.push(...news);
      if ((index + 1) % pageSize !== 0) continue;
      if (run.mayEnd) return written;
      run.keepCheckpoint();
    }
    run.noteNoneLeft();
    return written;
  }

  /**
   * Returns the final verdicts and events, without revisions and without events that were
   * withdrawn.
   */
  outcome() {
    return {
      judged: [...this.judged].map(([key, { digest, verdict }]) => [key, digest, verdict.status]),
      events: [...this.events.values()]
        .filter(({ status }) => status !== 'withdrawn')
        .map(({ revision: _, ...event }) => event)
        .sort((left, right) => (left.id < right.id ? -1 : 1)),
    };
  }
}

/** Returns the segments of a window. Every third window lacks one of them. */
function segmentsOf(window: WindowObservation): Map<string, WindowObservation> {
  const names = (window.startMs / hourMs) % 3 === 0 ? [''] : ['', 'country=DE'];
  return new Map(names.map(name => [name, window]));
}

/** Judges all windows of a version in one run, with its final settings and reference. */
function inOneRun({ windows, timeline, given }: Version): Version {
  const version = new Version();
  version.windows.push(...windows);
  version.timeline = timeline;
  version.given = given;
  version.judge();
  return version;
}

/** A version with all windows of variant 0 judged. */
function judgedVersion(): Version {
  const version = new Version();
  version.add(windowCount);
  version.judge();
  return version;
}

const statusesOf = (version: Version) =>
  [...version.judged.values()]
    .filter(({ segment }) => segment === '')
    .map(({ verdict }) => verdict.status);
const summary = (published: readonly DriftEventRevision[]) =>
  published.map(({ event }) => `${event.windowStart / hourMs}/${event.revision} ${event.status}`);
const ofAll = ({ events }: Version) => [...events.values()].filter(({ segment }) => segment === '');

const step = fc.record({
  kind: fc.constantFrom('windows', 'late', 'again', 'settings', 'reference'),
  /** Number of windows that arrive, or the age of the window that is judged again. */
  count: fc.integer({ min: 1, max: 25 }),
  pageSize: fc.integer({ min: 1, max: 20 }),
});

describe('JudgeRun', () => {
  it('ends with the same judged windows and drift events for any late data and any pages', () => {
    let events = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 8 }), steps => {
        const version = new Version();
        version.add(20);
        version.judge();
        for (const { kind, count, pageSize } of steps) {
          const { length } = version.windows;
          const changedFrom = Math.max(0, length - count);
          if (kind === 'settings') {
            const settings = count % 2 === 0 ? detection : coarseDetection;
            version.timeline = withSettings(version.timeline, settings, length * hourMs);
          }
          if (kind === 'windows') version.add(count);
          if (kind === 'late') version.windows[changedFrom] = variants[1]![changedFrom]!;
          if (kind === 'late' || kind === 'again') version.judge({ pageSize, changedFrom });
          else if (kind === 'reference') {
            version.given = reference;
            version.judge({ pageSize, changedFrom: Number.NEGATIVE_INFINITY });
          } else version.judge({ pageSize });
        }
        version.add(windowCount);
        version.judge();
        expect(version.outcome()).toEqual(inOneRun(version).outcome());
        events += version.events.size;
      }),
      { numRuns: 15 },
    );
    expect(events).toBeGreaterThan(0);
  }, 120_000);

  it('finds nothing new when windows that have not changed are judged again', () => {
    const version = judgedVersion();
    fc.assert(
      fc.property(fc.nat(windowCount - 1), fc.integer({ min: 1 }), (changedFrom, pageSize) => {
        expect(version.judge({ changedFrom, pageSize })).toEqual({ written: [], published: [] });
      }),
      { numRuns: 20 },
    );
  }, 60_000);

  it('gives new windows the same revisions for any pages', () => {
    const whole = new Version();
    whole.add(windowCount);
    const { published } = whole.judge();
    expect(summary(published)).toContain(`${onset}/2 closed`);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: windowCount }), pageSize => {
        const version = new Version();
        version.add(windowCount);
        expect(version.judge({ pageSize }).published).toEqual(published);
      }),
      { numRuns: 10 },
    );
  }, 60_000);

  it('withdraws a drift event that does not occur with late data, and writes only what changed', () => {
    const version = new Version();
    version.add(onset);
    version.windows.push(...variants[1]!.slice(onset, onset + 2));
    version.judge();
    expect(ofAll(version)).toMatchObject([{ windowStart: onset * hourMs, status: 'open' }]);
    const steady = stream(4, windowCount);
    version.windows.splice(onset, 2, steady[onset]!, steady[onset + 1]!);
    const { written, published } = version.judge({ changedFrom: onset });
    expect(new Set(summary(published))).toEqual(new Set([`${onset}/2 withdrawn`]));
    expect(written.map(({ observation, revision }) => [observation.startMs, revision])).toEqual([
      [onset * hourMs, 2],
      [(onset + 1) * hourMs, 2],
      [(onset + 1) * hourMs, 2],
    ]);
  });

  it('judges windows again with their original settings', () => {
    const version = new Version();
    version.add(20);
    version.judge();
    version.timeline = withSettings(version.timeline, coarseDetection, 20 * hourMs);
    version.add(9);
    expect(version.judge({ changedFrom: 3 }).written.map(({ revision }) => revision)).not.toContain(
      2,
    );
    expect(statusesOf(version).slice(20)).toEqual(
      Array.from({ length: 9 }, (_, index) => (index % 3 === 2 ? 'steady' : 'insufficient_data')),
    );
  });

  it('writes anew what an earlier release wrote of the windows that its drift events name', () => {
    const version = judgedVersion();
    const latest = new Map(version.judged);
    version.forgetFold();
    expect(version.judge()).toEqual({ written: [], published: [] });

    for (const [key, window] of latest) version.judged.set(key, { ...window, digest: 'other' });
    version.forgetFold();
    const { written } = version.judge();
    const changed = [...latest.values()].filter(({ verdict }) => verdict.changes.length > 0);
    expect(changed.length).toBeGreaterThan(0);
    expect(written).toEqual(changed.map(window => ({ ...window, revision: 2 })));
  });

  it('judges all windows again from the first one on when a reference is given', () => {
    const version = judgedVersion();
    expect(statusesOf(version).slice(0, 8)).toContain('reference');
    version.given = reference;
    version.judge({ changedFrom: Number.NEGATIVE_INFINITY });
    expect(statusesOf(version)).not.toContain('reference');
    expect(ofAll(version)).toMatchObject([
      { windowStart: onset * hourMs, reference: 'training', status: 'open' },
    ]);
  });

  describe('at the end of a page', () => {
    const bounds = { windowSizeMs: hourMs, untilMs: 50 * hourMs, withMetrics: false };
    const empty = begunFold({ model: 'm', version: '1' });
    const foldUntil = (run: JudgeRun, end: number) => {
      for (const window of variants[0]!.slice(0, end)) {
        if (window.startMs >= run.nextStartMs)
          run.foldWindow(window.startMs, new Map([['', window]]), detection);
      }
    };

    it('may end only when all windows that were judged before are folded', () => {
      const judgedUntilMs = 40 * hourMs;
      const run = new JudgeRun(empty, { ...bounds, judgedUntilMs, changedFromMs: 0 });
      foldUntil(run, 39);
      expect(run.mayEnd).toBe(false);
      expect(() => run.end(new Map())).toThrow('left to fold');
      foldUntil(run, 40);
      expect(run.mayEnd).toBe(true);
      expect(run.end(new Map())).toMatchObject({ foldedUntilMs: judgedUntilMs, judgedUntilMs });
    });

    it('may end if the last of these windows do not exist any more', () => {
      const judgedUntilMs = 45 * hourMs;
      const run = new JudgeRun(empty, { ...bounds, judgedUntilMs, changedFromMs: 0 });
      foldUntil(run, 39);
      run.noteNoneLeft();
      expect(run.end(new Map())).toMatchObject({ foldedUntilMs: bounds.untilMs, judgedUntilMs });
    });

    it('keeps the states of the fold there as checkpoints', () => {
      const judgedUntilMs = 50 * hourMs;
      const run = new JudgeRun(empty, { ...bounds, judgedUntilMs, changedFromMs: 0 });
      const ends = [10, 20, 30, 40];
      for (const end of ends) {
        foldUntil(run, end);
        run.keepCheckpoint();
      }
      foldUntil(run, 50);
      const { passed } = run.end(new Map());
      expect(passed.length).toBeGreaterThan(1);
      for (const { ordinal, windowStartMs, text, digest } of passed) {
        expect(ends).toContain(ordinal);
        expect(windowStartMs).toBe((ordinal - 1) * hourMs);
        let fold = empty;
        for (const window of variants[0]!.slice(0, ordinal)) {
          const segments = new Map([['', window]]);
          fold = foldVersionWindow(fold, window.startMs, segments, {
            detection,
            withMetrics: false,
          }).fold;
        }
        expect(unpackStates(text, digest)!.states).toEqual(fold.checkpoints.at(-1)!.states);
      }
    });

    it('refuses a window that does not start after those that it holds', () => {
      const judgedUntilMs = Number.NEGATIVE_INFINITY;
      const changedFromMs = Number.POSITIVE_INFINITY;
      const run = new JudgeRun(empty, { ...bounds, judgedUntilMs, changedFromMs });
      foldUntil(run, 5);
      const fifth = new Map([['', variants[0]![4]!]]);
      expect(() => run.foldWindow(4 * hourMs, fifth, detection)).toThrow('order of time');
    });
  });
});
