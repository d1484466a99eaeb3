import { describe, expect, it } from 'vitest';
import type { WindowObservation } from '../../../services/detector/blocks/windowObservation.ts';
import {
  movementStatement,
  predictionContributions,
} from '../../../services/detector/families/outputMovement.ts';
import { initialState } from '../../../services/detector/fold/foldState.ts';
import { fitOutputModel } from '../../../services/detector/reference/outputModel.ts';
import { freezeVariables } from '../../../services/detector/reference/reference.ts';
import { missingCode } from '../../../services/shared/profile/recordSample.ts';
import {
  context,
  foldAll,
  hourMs,
  type Randomness,
  type SyntheticRecord,
  syntheticWindows,
} from './syntheticStream.ts';

const onset = 20;
const effects = {
  grade: [0.1, 0, 0.02, -0.1, 0.05],
  city: { Rome: 0.1, Oslo: 0, Bonn: -0.1 },
};
type Moved = Record<keyof typeof effects, number>;

/**
 * Draws a record whose score is a sum of the effects of `grade` and `city`. The feature `other`
 * changes as well, but the score does not use it.
 */
function recordOf({ uniform, normal }: Randomness, window: number) {
  const drifted = window >= onset;
  const grade = Math.floor(5 * (drifted ? uniform() ** 2 : uniform()));
  const draw = uniform();
  const city = draw < (drifted ? 0.6 : 0.3) ? 'Rome' : draw < 0.7 ? 'Oslo' : 'Bonn';
  const effect = { grade: effects.grade[grade]!, city: effects.city[city] };
  const record = {
    features: { city, grade, other: normal() * (drifted ? 2 : 1), still: normal() },
    prediction: uniform() < 0.5 ? 'yes' : 'no',
    score: 0.5 + effect.grade + effect.city + 0.02 * normal(),
  };
  return { record, effect };
}

/**
 * Returns windows of these records, and by how much the true effects move the output in the first
 * window of the drift.
 */
function streamOf(
  change: (record: SyntheticRecord & { score: number }, random: Randomness) => SyntheticRecord,
) {
  const sums = Array.from({ length: onset + 3 }, () => ({ grade: 0, city: 0 }));
  const records = 400;
  const windows = syntheticWindows({
    seed: 1,
    windows: sums.length,
    records,
    recordOf: (random, window) => {
      const { record, effect } = recordOf(random, window);
      sums[window]!.grade += effect.grade / records;
      sums[window]!.city += effect.city / records;
      return change(record, random);
    },
  });
  const before = sums.slice(0, onset);
  const moved = (name: keyof Moved) =>
    sums[onset]![name] - before.reduce((sum, means) => sum + means[name], 0) / before.length;
  return { windows, moved: { grade: moved('grade'), city: moved('city') } };
}

const scored = streamOf(record => record);

const changedFeatures = ['city', 'grade', 'other'];

function expectMoved(
  found: Record<string, number>,
  moved: Moved,
  tolerance: number,
  names: readonly string[] = changedFeatures,
): void {
  expect(Object.keys(found).sort()).toEqual(names);
  for (const [name, movement] of Object.entries(found))
    expect(Math.abs(movement - (moved[name as keyof Moved] ?? 0)), name).toBeLessThan(tolerance);
}

/**
 * Tolerance for effects of 0.1. Each is known from 128 records with a deviation of 0.02, and the
 * penalty reduces it by 4 / 132.
 */
const tolerance = 0.003;

const fitOf = (windows: readonly WindowObservation[]) =>
  fitOutputModel(windows, freezeVariables(windows));

describe('the effect of changed features on the outputs', () => {
  it('is right for scores that are a sum of known effects', () => {
    const [event, ...others] = foldAll(scored.windows).events;
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      cause: 'data_drift',
      metric: 'likelihood_ratio',
      reference: 'bootstrap',
    });
    expectMoved(event!.predictionContributions, scored.moved, tolerance);
    expect(event!.explanation).toMatch(
      /^3 of 4 features have another distribution, .+\), which moves the score by \+0\.0\d+, city by \+0\.0\d+ \(additive model, R² 0\.9\d*\)[.;] /,
    );
  });

  it('is estimated from the own windows of the version if a reference was given', () => {
    const parts = scored.windows.slice(0, 5).map(window => ({
      ...window,
      sample: null,
      variables: new Map([...window.variables].filter(([, { kind }]) => kind === 'feature')),
    }));
    const start = initialState({ id: 'r', source: 'training', parts }, context, hourMs);
    const [event] = foldAll(scored.windows.slice(5), start).events;
    expect(event).toMatchObject({ cause: 'data_drift', reference: 'training' });
    expectMoved(event!.predictionContributions, scored.moved, tolerance);
  });

  it('is in the unit of predicted numbers', () => {
    const { windows, moved } = streamOf(({ features, score }) => ({
      features,
      prediction: 1000 * score,
    }));
    const [event] = foldAll(windows).events;
    expectMoved(
      event!.predictionContributions,
      { grade: 1000 * moved.grade, city: 1000 * moved.city },
      3,
    );
    expect(event!.explanation).toContain('which moves the prediction by +');
  });

  it('is on the share of the most frequent class if classes are predicted', () => {
    const { windows, moved } = streamOf(({ features, score }, { uniform }) => ({
      features,
      prediction: uniform() < score + (score - 0.5) * 2 ? 'yes' : 'no',
    }));
    const model = fitOf(windows.slice(0, onset))!;
    expect(model.output).toBe('share of "yes"');
    const [event] = foldAll(windows).events;
    // The effects are three times as large. The share of a bin is known to 0.5 / √128, and the
    // grades of a fifth of the records change by 0.1 or 0.2.
    expectMoved(
      event!.predictionContributions,
      { grade: 3 * moved.grade, city: 3 * moved.city },
      0.04,
    );
    expect(event!.explanation).toContain('which moves the share of "yes" by +');
  });

  it('is unknown without sampled outputs', () => {
    const without = foldAll(
      scored.windows.map(({ sample, ...window }) => ({
        ...window,
        sample: sample && { ...sample, outputs: sample.outputs.map(() => missingCode) },
      })),
    );
    expect(without.events[0]!.predictionContributions).toEqual({});
    expect(without.events[0]!.explanation).not.toContain('moves');
  });
});

/**
 * Simulates a logistic model of six features, the first of which moves.
 * @returns the estimated effect on the mean score as a share of the true one
 */
function estimatedShareOf(deviations: number, seed: number): number {
  const scoreOf = ([a, b, c]: readonly number[]) => 1 / (1 + Math.exp(-a! - 0.6 * b! + 0.8 * c!));
  let moved = 0;
  const drifted = 4 * 500;
  const windows = syntheticWindows({
    seed,
    windows: onset + 4,
    records: 500,
    recordOf: ({ normal }, window) => {
      const before = Array.from({ length: 6 }, () => normal());
      const values = window < onset ? before : [before[0]! + deviations, ...before.slice(1)];
      moved += (scoreOf(values) - scoreOf(before)) / drifted;
      const features = Object.fromEntries(values.map((value, index) => [`x${index}`, value]));
      return { features, prediction: 'any', score: scoreOf(values) };
    },
  });
  const [event] = foldAll(windows).events;
  expect(Object.keys(event!.predictionContributions)).toEqual(['x0']);
  return event!.predictionContributions.x0! / moved;
}

describe('the estimated effect of a continuous feature that moves', () => {
  // The standard deviations over single streams are 0.07, 0.04 and 0.02.
  it.each([
    [0.5, 0.93],
    [1, 0.85],
    [2, 0.79],
  ])(
    'by %d standard deviations is %d of the true one, because changes within bins are not seen',
    (deviations, told) => {
      const seeds = [1, 2, 3, 4, 5, 6];
      const mean = seeds.reduce(
        (sum, seed) => sum + estimatedShareOf(deviations, seed) / seeds.length,
        0,
      );
      expect(Math.abs(mean - told)).toBeLessThan(0.06);
    },
  );
});

describe('fitOutputModel', () => {
  const reference = scored.windows.slice(0, 10);
  const referenceOf = (change: Parameters<typeof streamOf>[0]) =>
    streamOf(change).windows.slice(0, 10);

  it('returns the effect of each bin minus the mean effect', () => {
    const { effects: found, explained } = fitOf(reference)!;
    const mean = effects.grade.reduce((sum, effect) => sum + effect, 0) / 5;
    for (const [grade, effect] of effects.grade.entries())
      expect(found.get('feature/grade')![grade]).toBeCloseTo(effect - mean, 1.7);
    // This bin has no records in the reference.
    expect(found.get('feature/grade')![5]).toBe(0);
    expect(explained).toBeGreaterThan(0.9);
  });

  it.each<[string, Parameters<typeof streamOf>[0]]>([
    [
      'scores that do not follow from features',
      (record, { uniform }) => ({ ...record, score: uniform() }),
    ],
    ['constant scores', record => ({ ...record, score: 0.5 })],
    ['scores without any scale', record => ({ ...record, score: record.score * 1e300 })],
    [
      'predictions of which only some have a score',
      ({ score, ...record }, { uniform }) => (uniform() < 0.99 ? { ...record, score } : record),
    ],
    [
      'more classes than are counted one by one',
      ({ features, score }) => ({ features, prediction: `at ${Math.round(score * 1000)}` }),
    ],
  ])('returns null for %s', (_, change) => {
    expect(fitOf(referenceOf(change))).toBeNull();
  });

  it('returns null for fewer than 300 records', () => {
    expect(fitOf(reference.slice(0, 5))).not.toBeNull();
    expect(fitOf(reference.slice(0, 4))).toBeNull();
  });

  it('leaves out features past the first twelve, clocks, and features with hundreds of categories', () => {
    let now = 0;
    const wide = referenceOf(({ features, score }, { uniform, normal }) => ({
      features: {
        ...features,
        clock: now++,
        many: `k${Math.floor(200 * uniform())}`,
        ...Object.fromEntries(
          Array.from({ length: 12 }, (_, index) => [`z${10 + index}`, normal()]),
        ),
      },
      prediction: score,
    }));
    const names = [...fitOf(wide)!.effects.keys()].map(key => key.replace('feature/', ''));
    expect(names).toEqual([
      'city',
      'grade',
      'other',
      'still',
      'z10',
      'z11',
      'z12',
      'z13',
      'z14',
      'z15',
    ]);
  });

  it('uses no more than 300 bins', () => {
    const fine = referenceOf(({ features, score }, { uniform }) => ({
      features: {
        ...features,
        ...Object.fromEntries(
          Array.from({ length: 9 }, (_, index) => [`c${index}`, `k${Math.floor(40 * uniform())}`]),
        ),
      },
      prediction: score,
    }));
    const bins = [...fitOf(fine)!.effects.values()].map(ofFeature => ofFeature.length);
    // Each feature has one more bin, for records without a value.
    expect(bins.reduce((sum, ofFeature) => sum + ofFeature + 1, 0)).toBeLessThanOrEqual(300);
    expect(bins).toHaveLength(8);
  });
});

describe('the movement of an output', () => {
  const model = {
    output: 'score',
    effects: new Map([['feature/a', [-1, 1, 0]]]),
    explained: 0.5,
    outputKey: 'output/score',
    binOutputs: [],
    meanOutput: 0,
    residualVariance: 1,
  };
  const margins = { referenceCounts: [75, 25, 0], recentCounts: [2, 2, 4] };

  it('is the sum over bins of the change of their share times their effect', () => {
    const changed = [
      { key: 'feature/a', name: 'a', ...margins },
      { key: 'feature/b', name: 'b', ...margins },
    ];
    expect(predictionContributions(model, changed)).toEqual({ a: 0.5 });
  });

  it('is described in a few words', () => {
    const statement = (contributions: Record<string, number>, changed: number) =>
      movementStatement(model, contributions, changed);
    expect(statement({ a: -0.07 }, 1)).toBe(
      ', which moves the score by -0.07 (additive model, R² 0.5)',
    );
    expect(statement({ 1: 0.01, a: 0.07 }, 2)).toBe(
      ', which moves the score by +0.08, a by +0.07 (additive model, R² 0.5)',
    );
    expect(statement({ a: 0.07 }, 2)).toBe(
      ', which as far as is known moves the score by +0.07, a by +0.07 (additive model, R² 0.5)',
    );
    expect(statement({}, 1)).toBe('');
  });
});
