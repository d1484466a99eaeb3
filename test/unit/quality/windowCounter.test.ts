import { describe, expect, it } from 'vitest';
import { withSignals } from '../../../quality/counting/signals.ts';
import { windowCounter } from '../../../quality/counting/windowCounter.ts';
import {
  type Feedback,
  type Prediction,
  predictionDefaults,
} from '../../../services/shared/contracts.ts';
import { loggedPrediction } from '../../../services/shared/profile/features.ts';

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 0, 1);

function prediction(
  id: string,
  minute: number,
  output: Prediction['prediction'] = 'yes',
): Prediction {
  return {
    ...predictionDefaults,
    id,
    model: 'm',
    version: '1',
    time: startMs + minute * minuteMs,
    features: { amount: minute },
    prediction: output,
  };
}

function feedback(
  id: string,
  minute: number,
  label: Feedback['label'],
  model: string | null = null,
): Feedback {
  return { id, label, time: startMs + minute * minuteMs, model, value: null };
}

/** Counts predictions and labels in windows of ten minutes. */
function counted(predictions: readonly Prediction[], labels: readonly Feedback[]) {
  const counter = windowCounter(10 * minuteMs);
  for (const one of predictions) counter.addPrediction(loggedPrediction(one));
  for (const one of labels) counter.addFeedback(one);
  const [stream, ...others] = counter.streams();
  expect(others).toEqual([]);
  return stream!;
}

const inMinutes = (timeMs: number) => (timeMs - startMs) / minuteMs;

describe('labels of a stream', () => {
  it('are known when their window ends, or at the end of the window in which they came', () => {
    const { labelRevisions, windows } = counted(
      [prediction('a', 1), prediction('b', 2), prediction('c', 11)],
      [
        feedback('a', 1, 'yes'),
        feedback('b', 25, 'no'),
        feedback('c', 12, 'yes'),
        feedback('nobody', 1, 'no'),
      ],
    );
    expect(windows.map(({ startMs, records }) => [inMinutes(startMs), records])).toEqual([
      [0, 2],
      [10, 1],
    ]);
    expect(
      labelRevisions.map(({ knownAtMs, startMs, performance: { labelled, lossSum } }) => [
        inMinutes(knownAtMs),
        inMinutes(startMs),
        labelled,
        lossSum,
      ]),
    ).toEqual([
      [10, 0, 1, 0],
      [20, 10, 1, 0],
      [30, 0, 2, 1],
    ]);
  });

  it('are corrected by a later observation but not by an earlier one that comes later', () => {
    const { labelRevisions } = counted(
      [prediction('a', 1)],
      [feedback('a', 31, 'no'), feedback('a', 12, 'no'), feedback('a', 12, 'yes')],
    );
    expect(
      labelRevisions.map(({ knownAtMs, performance }) => [
        inMinutes(knownAtMs),
        performance.labelCounts,
      ]),
    ).toEqual([
      [20, new Map([['yes', 1]])],
      [40, new Map([['no', 1]])],
    ]);
    expect(labelRevisions.at(-1)!.performance).toMatchObject({
      labelled: 1,
      lossSum: 1,
      predictedCounts: new Map([['yes', 1]]),
      rightCounts: new Map(),
    });
  });

  it('have sums of errors and no counts if they are numbers', () => {
    const { labelRevisions } = counted(
      [prediction('a', 1, 1.5), prediction('b', 2, 4)],
      [feedback('a', 1, 1), feedback('b', 2, 2.5), feedback('b', 2, 3.5, 'another model')],
    );
    expect(labelRevisions.map(({ performance }) => performance)).toEqual([
      {
        task: 'regression',
        labelled: 2,
        lossSum: 2,
        lossSquareSum: 2.5,
        labelCounts: new Map(),
        predictedCounts: new Map(),
        rightCounts: new Map(),
      },
    ]);
  });
});

describe('declared segments', () => {
  it('have windows and labels of their own', () => {
    const counter = windowCounter(10 * minuteMs, ['country']);
    const countries = { a: 'DE', b: 'x=y', c: 'DE', d: null };
    for (const [id, country] of Object.entries(countries)) {
      const segment = country === null ? null : { country, device: 'mobile' };
      counter.addPrediction(loggedPrediction({ ...prediction(id, 1), segment }));
      counter.addFeedback(feedback(id, 1, id === 'c' ? 'no' : 'yes'));
    }
    const { windows, labelRevisions, segments } = counter.streams()[0]!;
    expect(windows.map(({ records }) => records)).toEqual([4]);
    expect(labelRevisions.map(({ performance: { labelled } }) => labelled)).toEqual([4]);
    expect(
      [...segments].map(([name, segment]) => [
        name,
        segment.windows.map(({ records }) => records),
        segment.labelRevisions.map(({ performance: { labelled, lossSum } }) => [labelled, lossSum]),
      ]),
    ).toEqual([
      ['country=DE', [2], [[2, 1]]],
      ['country=x=y', [1], [[1, 0]]],
    ]);
  });
});

describe('signals', () => {
  const stream = counted([prediction('a', 1)], [feedback('a', 1, 'no')]);
  const [performance] = stream.labelRevisions.map(revision => revision.performance);

  it('that are left out are missing in the windows, which count their records all the same', () => {
    const { windows, labelRevisions } = withSignals(stream, ['error']);
    expect(windows.map(({ records, variables }) => [records, variables.size])).toEqual([[1, 0]]);
    expect(labelRevisions.map(revision => revision.performance)).toEqual([
      {
        ...performance,
        labelCounts: new Map(),
        predictedCounts: new Map(),
        rightCounts: new Map(),
      },
    ]);
  });

  it('keep only the labels when errors are left out, and no performance when both are', () => {
    const { labelRevisions } = withSignals(stream, ['labels']);
    expect(labelRevisions.map(revision => revision.performance)).toEqual([
      {
        ...performance,
        lossSum: 0,
        lossSquareSum: 0,
        predictedCounts: new Map(),
        rightCounts: new Map(),
      },
    ]);
    expect(withSignals(stream, ['features'])).toMatchObject({
      windows: stream.windows,
      labelRevisions: [],
    });
  });
});
