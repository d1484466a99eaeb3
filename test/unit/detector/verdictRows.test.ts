import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DriftEventContent } from '../../../services/detector/events/driftEpisode.ts';
import { families } from '../../../services/detector/families/families.ts';
import { foldWindow } from '../../../services/detector/fold/detector.ts';
import type { DriftMetric } from '../../../services/detector/fold/driftMetric.ts';
import { driftMetrics } from '../../../services/detector/fold/driftMetrics.ts';
import { initialState } from '../../../services/detector/fold/foldState.ts';
import {
  context,
  hourMs,
  type Randomness,
  type SyntheticRecord,
  syntheticWindows,
} from './syntheticStream.ts';

const onset = 100;
const windowCount = 124;

/**
 * Draws a record of a steady stream with features of both types, scores, labels and a version of
 * the serving code.
 */
function steady({ uniform, normal }: Randomness): SyntheticRecord {
  const amount = normal();
  const up = uniform() < 0.5;
  return {
    features: {
      amount,
      copy: amount + 0.3 * normal(),
      missing: uniform() < 0.01 ? null : normal(),
      city: ['Rome', 'Oslo', 'Bonn'][Math.floor(uniform() * 3)]!,
    },
    prediction: up ? 'up' : 'down',
    score: up ? 0.5 + uniform() / 2 : uniform() / 2,
    label: uniform() < 0.15 === up ? 'down' : 'up',
    codeVersion: 'a',
  };
}

type Change = (record: SyntheticRecord, random: Randomness) => SyntheticRecord;

const withFeatures = (record: SyntheticRecord, features: SyntheticRecord['features']) => ({
  ...record,
  features: { ...record.features, ...features },
});

/** One change for every family and metric that decides, and the cause that is expected. */
const changes: Record<string, { cause: string; apply: Change }> = {
  'missing values': {
    cause: 'data_quality',
    apply: (record, { uniform }) =>
      uniform() < 0.05 ? withFeatures(record, { missing: null }) : record,
  },
  'few more missing values, seen only when windows are pooled': {
    cause: 'data_quality',
    apply: (record, { uniform }) =>
      uniform() < 0.035 ? withFeatures(record, { missing: null }) : record,
  },
  'a stuck sensor': {
    cause: 'data_quality',
    apply: record => withFeatures(record, { amount: 1 }),
  },
  'a new feature': {
    cause: 'data_quality',
    apply: record => withFeatures(record, { extra: 1 }),
  },
  'a new category': {
    cause: 'data_quality',
    apply: (record, { uniform }) =>
      uniform() < 0.3 ? withFeatures(record, { city: 'Lima' }) : record,
  },
  'values of the wrong type': {
    cause: 'data_quality',
    apply: (record, { uniform }) =>
      uniform() < 0.1 ? withFeatures(record, { amount: 'n/a' }) : record,
  },
  'values that are not finite': {
    cause: 'data_quality',
    apply: (record, { uniform }) =>
      uniform() < 0.1 ? withFeatures(record, { amount: Number.NaN }) : record,
  },
  'absurd values': {
    cause: 'data_quality',
    apply: (record, { uniform }) =>
      uniform() < 0.1 ? withFeatures(record, { amount: 1e6 }) : record,
  },
  'a shifted feature': {
    cause: 'data_drift',
    apply: record =>
      withFeatures(record, { missing: ((record.features.missing as number | null) ?? 0) + 0.6 }),
  },
  'a small shift, seen only when windows are pooled': {
    cause: 'data_drift',
    apply: record =>
      withFeatures(record, { missing: ((record.features.missing as number | null) ?? 0) + 0.22 }),
  },
  'features that lose their dependence': {
    cause: 'data_drift',
    apply: (record, { normal }) => withFeatures(record, { copy: Math.sqrt(1.09) * normal() }),
  },
  'more errors': {
    cause: 'concept_drift',
    apply: (record, { uniform }) => ({
      ...record,
      label: uniform() < 0.45 === (record.prediction === 'up') ? 'down' : 'up',
    }),
  },
  'other labels': {
    cause: 'concept_drift',
    apply: (record, { uniform }) => ({ ...record, label: uniform() < 0.9 ? 'up' : 'down' }),
  },
  'other predictions without labels': {
    cause: 'prediction_drift',
    apply: (record, { uniform }) => {
      const { label: _, ...unlabelled } = record;
      return { ...unlabelled, prediction: uniform() < 0.95 ? 'up' : 'down' };
    },
  },
  'absurd outputs': {
    cause: 'data_quality',
    apply: (record, { uniform }) => (uniform() < 0.2 ? { ...record, prediction: 'maybe' } : record),
  },
  'other scores of a model that learns': {
    cause: 'none',
    apply: record => ({ ...record, score: record.score! > 0.5 ? 0.97 : 0.03 }),
  },
  'new code that shifts a feature': {
    cause: 'code_change',
    apply: record => ({ ...withFeatures(record, { city: 'Rome' }), codeVersion: 'b' }),
  },
};

interface FoldedRows {
  /** Contents of drift events, each with the window after which it was published. */
  published: { content: DriftEventContent; window: number }[];
  /** Rows by start of the window. */
  rows: Map<number, DriftMetric[]>;
  /** Starts of the windows in which an episode was open, or opened. */
  openAt: Set<number>;
}

function foldRows(seed: number, apply: Change): FoldedRows {
  const windows = syntheticWindows({
    seed,
    windows: windowCount,
    records: 200,
    recordOf: (random, window) => {
      const record = steady(random);
      return window < onset ? record : apply(record, random);
    },
  });
  const folded: FoldedRows = { published: [], rows: new Map(), openAt: new Set() };
  let state = initialState(null, context, hourMs);
  for (const [window, observation] of windows.entries()) {
    const step = foldWindow(state, observation, context);
    const { state: after, verdict } = step;
    if (step.judged.length > 0)
      folded.rows.set(observation.startMs, driftMetrics(state, step, context));
    if (state.episode || after.episode) folded.openAt.add(observation.startMs);
    for (const content of verdict.changes) folded.published.push({ content, window });
    state = after;
  }
  return folded;
}

/**
 * Returns true if a row states a reason where it is over its threshold without an episode, states
 * none where it is not over it, and has a metric of its family.
 */
function isExplained({ family, metric, value, threshold, reason }: DriftMetric, isOpen: boolean) {
  const isOver = threshold !== null && value > threshold;
  if (isOver ? reason === '' && !isOpen : reason !== '') return false;
  if (family === '') return true;
  const itsFamily = families.find(({ name }) => name === family);
  if (!itsFamily) return false;
  return !itsFamily.metrics || Object.keys(itsFamily.metrics).includes(metric);
}

describe.each(Object.entries(changes))('%s', (name, { cause, apply }) => {
  it('has one row of drift_metrics for each event, and every other row over its threshold states a reason', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), seed => {
        const { published, rows, openAt } = foldRows(seed, apply);
        for (const { content } of published) {
          const { metric, value, threshold, pValue, scale, records } = content;
          const found = rows
            .get(content.evidenceWindowStart!)!
            .filter(
              row => row.metric === metric && row.value === value && row.threshold === threshold,
            );
          expect(found).toMatchObject([{ scale, pValue, records, reason: '' }]);
          expect(value).toBeGreaterThanOrEqual(threshold);
        }
        const wrong = [...rows].flatMap(([startMs, ofWindow]) =>
          ofWindow.filter(row => !isExplained(row, openAt.has(startMs))),
        );
        expect(wrong).toEqual([]);
        expect(rows.size).toBeGreaterThan(0);
      }),
      { numRuns: 3 },
    );
  });

  it(`is found with the cause ${cause}`, () => {
    const events = foldRows(7, apply).published.filter(({ window }) => window >= onset);
    const causes = events.map(({ content }) => content.cause);
    if (cause === 'none') expect(causes, name).toEqual([]);
    else expect(causes, name).toContain(cause);
  });
});
