import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  WindowObservation,
  WindowPerformance,
} from '../../../services/detector/blocks/windowObservation.ts';
import { maxNotedWindows } from '../../../services/detector/fold/truthFold.ts';
import {
  begunFold,
  relabelled,
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

const windowCount = 90;
const onset = 60;
const detection = {
  ...context.detection,
  minimumRecords: 20,
  bootstrapWindows: 5,
  bootstrapRecords: 100,
};

/** Returns windows of one feature whose labels are wrong more often from a given window on. */
function stream(seed: number, windows = windowCount, records = 40): WindowObservation[] {
  const recordOf = ({ normal, uniform }: Randomness, window: number) => {
    const prediction = uniform() < 0.4 ? 'up' : 'down';
    const isWrong = uniform() < (window < onset ? 0.1 : 0.4);
    const other = prediction === 'up' ? 'down' : 'up';
    return { features: { x: normal() }, prediction, label: isWrong ? other : prediction };
  };
  return syntheticWindows({ seed, windows, records, recordOf });
}

const windows = stream(1);
const given: GivenReference = { id: 'r1', source: 'training', parts: stream(2).slice(0, 10) };

/** A version with its tables in memory, as the detector keeps it. */
class Version {
  readonly #labels = new Map<number, WindowPerformance>();
  readonly #windows: readonly WindowObservation[];
  readonly #judged = new Map<string, JudgedWindow>();
  readonly events = new Map<string, DriftEvent>();
  fold: VersionFold;
  #arrived = 0;
  #judgedUntilMs = Number.NEGATIVE_INFINITY;
  /** Number of times that the inputs of a window were folded. */
  foldedInputs = 0;
  /** Number of times that the labels of a window were folded alone. */
  foldedLabels = 0;

  constructor(all: readonly WindowObservation[], reference: GivenReference | null = null) {
    this.#windows = all;
    this.fold = begunFold({ model: 'm', version: '1' }, reference);
  }

  /** Takes windows without their labels, then the labels of some windows, and judges both. */
  take(arrived: number, labelled: readonly number[], lateInputs?: number): void {
    this.#arrived = arrived;
    for (const window of labelled)
      this.#labels.set(window * hourMs, this.#windows[window]!.performance!);
    const labelsFromMs = Math.min(...labelled) * hourMs;
    const inputsFromMs = (lateInputs ?? Number.POSITIVE_INFINITY) * hourMs;
    const fold = rewound(this.fold, inputsFromMs);
    const run = new JudgeRun(relabelled(fold, labelsFromMs) ?? rewound(fold, labelsFromMs), {
      windowSizeMs: hourMs,
      judgedUntilMs: this.#judgedUntilMs,
      changedFromMs: Math.min(labelsFromMs, inputsFromMs),
      untilMs: arrived * hourMs,
      withMetrics: true,
    });
    while (run.nextLabelsMs !== null) this.#foldLabels(run, run.nextLabelsMs);
    for (const window of this.#windows.slice(0, arrived))
      if (window.startMs >= run.nextStartMs) this.#foldWindow(run, window);
    const outcome = run.end(this.events);
    this.fold = outcome.fold;
    this.#judgedUntilMs = outcome.judgedUntilMs;
    for (const { event } of outcome.revisions) this.events.set(event.id, event);
  }

  get arrived(): number {
    return this.#arrived;
  }

  #foldLabels(run: JudgeRun, startMs: number): void {
    const performance = this.#labels.get(startMs);
    const labels = new Map(performance ? [['', performance] as const] : []);
    this.foldedLabels += labels.size;
    this.#write(run.foldLabels(labels, detection, this.#judged));
  }

  #foldWindow(run: JudgeRun, window: WindowObservation): void {
    this.foldedInputs += 1;
    const performance = this.#labels.get(window.startMs) ?? null;
    const segments = new Map([['', { ...window, performance }]]);
    this.#write(run.foldWindow(window.startMs, segments, detection, this.#judged));
  }

  /** Metrics of labels replace only those of labels. */
  #write(judged: readonly JudgedWindow[]): void {
    for (const window of judged) {
      const key = judgedWindowKey(window.segment, window.observation.startMs);
      const kept = window.onlyLabels
        ? this.#judged.get(key)!.metrics.filter(({ kind }) => kind !== 'performance')
        : [];
      this.#judged.set(key, { ...window, metrics: [...kept, ...window.metrics] });
    }
  }

  /**
   * Returns the final verdicts, metrics and events, without what was withdrawn. The last bits of a
   * metric are no reason to write it again.
   */
  outcome() {
    return {
      judged: [...this.#judged].map(([key, { digest, verdict, metrics }]) => [
        key,
        digest,
        verdict.status,
        metrics.map(rounded),
      ]),
      events: [...this.events.values()]
        .filter(({ status }) => status !== 'withdrawn')
        .map(({ revision: _, ...event }) => event)
        .sort((left, right) => (left.id < right.id ? -1 : 1)),
    };
  }
}

function rounded(metric: object): unknown[] {
  return Object.values(metric).map(value =>
    typeof value === 'number' ? value.toPrecision(8) : value,
  );
}

const numbered = Array.from({ length: windowCount }, (_, window) => window);

/** Judges windows with labels that come at once. */
function atOnce(reference: GivenReference | null = null): Version {
  const version = new Version(windows, reference);
  version.take(windowCount, numbered);
  return version;
}

/**
 * Judges a window an hour, and its labels some hours later.
 * @param delayOf in hours
 * @param lateInputsAt returns the window whose inputs come late in an hour
 */
function late(
  delayOf: (window: number) => number,
  {
    reference = null,
    lateInputsAt = () => undefined,
  }: {
    reference?: GivenReference | null;
    lateInputsAt?: (hour: number) => number | undefined;
  } = {},
): Version {
  const version = new Version(windows, reference);
  const last = Math.max(...numbered.map(window => window + delayOf(window)));
  for (let hour = 0; hour <= last; hour++) {
    const labelled = numbered.filter(window => window + delayOf(window) === hour);
    version.take(Math.min(hour + 1, windowCount), labelled, lateInputsAt(hour));
  }
  return version;
}

describe('labels that come late', { timeout: 120_000 }, () => {
  const expected = atOnce();

  it('lead to the same verdicts, metrics and events as labels that come at once', () => {
    expect(expected.outcome().events.length).toBeGreaterThan(0);
    fc.assert(
      fc.property(
        fc.array(fc.nat(40), { minLength: windowCount, maxLength: windowCount }),
        fc.array(fc.nat(30), { maxLength: 4 }),
        (delays, ages) => {
          const version = late(window => delays[window]!, {
            lateInputsAt: hour =>
              hour % 20 === 19 && hour < windowCount && ages[Math.floor(hour / 20)] !== undefined
                ? Math.max(0, hour - ages[Math.floor(hour / 20)]!)
                : undefined,
          });
          expect(version.outcome()).toEqual(expected.outcome());
        },
      ),
      { numRuns: 5 },
    );
  });

  it('lead to the same in any order of arrival', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(numbered, { minLength: windowCount }),
        fc.integer({ min: 1, max: 30 }),
        (order, atATime) => {
          const version = new Version(windows);
          version.take(windowCount, []);
          for (let from = 0; from < windowCount; from += atATime)
            version.take(windowCount, order.slice(from, from + atATime));
          expect(version.outcome()).toEqual(expected.outcome());
          expect(version.foldedInputs).toBe(windowCount);
        },
      ),
      { numRuns: 5 },
    );
  });

  it('lead to the same against a given reference with labels', () => {
    const version = late(() => 30, { reference: given });
    expect(version.outcome()).toEqual(atOnce(given).outcome());
  });

  it('have no inputs folded again, and only the labels that came', () => {
    const version = late(() => 40);
    expect(version.outcome()).toEqual(expected.outcome());
    expect(version.foldedInputs).toBe(windowCount);
    expect(version.foldedLabels).toBe(windowCount);
  });

  it('have no inputs folded again when some of them come in another order', () => {
    const version = late(window => 40 + (window % 5 === 0 ? 3 : 0));
    expect(version.foldedInputs).toBe(windowCount);
    expect(version.foldedLabels).toBeLessThan(3 * windowCount);
  });

  it('have their event dated to their own windows', () => {
    const version = late(() => 48);
    const events = version.outcome().events.filter(({ cause }) => cause === 'concept_drift');
    expect(events).toHaveLength(1);
    const started = events[0]!.windowStart / hourMs;
    expect(started).toBeGreaterThanOrEqual(onset);
    expect(started).toBeLessThan(onset + 8);
    expect(events[0]!.explanation).toContain('error rate');
  });

  it('are not kept in mind without end', () => {
    const many = stream(3, maxNotedWindows + 40, 25);
    const delay = maxNotedWindows + 10;
    const version = new Version(many);
    for (let arrived = 0; arrived < many.length; arrived += 100) version.take(arrived, []);
    version.take(delay, []);
    expect(version.fold.truth!.windows.length).toBe(maxNotedWindows);
    const before = version.foldedInputs;
    version.take(delay, [delay - maxNotedWindows]);
    expect(version.foldedInputs).toBe(before);
    version.take(delay, [delay - maxNotedWindows - 1]);
    expect(version.foldedInputs).toBe(before + delay);
  });
});
