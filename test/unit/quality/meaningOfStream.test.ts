import { describe, expect, it } from 'vitest';
import { windowCounter } from '../../../quality/counting/windowCounter.ts';
import { predictionDefaults } from '../../../services/shared/contracts.ts';
import { loggedPrediction } from '../../../services/shared/profile/features.ts';

type Value = string | number | boolean;

interface Outcome {
  label: Value;
  prediction: Value;
}

/** Returns the newest performance of a stream whose records are a millisecond apart. */
function countedPerformance(outcomes: readonly Outcome[]) {
  const counter = windowCounter(60_000);
  const time = Date.UTC(2026, 0, 1);
  for (const [index, { label, prediction }] of outcomes.entries()) {
    const id = String(index).padStart(5, '0');
    counter.addPrediction(
      loggedPrediction({
        ...predictionDefaults,
        id,
        model: 'm',
        version: '1',
        time: time + index,
        features: {},
        prediction,
      }),
    );
    counter.addFeedback({ id, label, time, model: null, value: null });
  }
  return counter.streams()[0]!.labelRevisions.at(-1)!.performance;
}

describe('the quality harness', () => {
  it('decides what outputs mean from the first outcomes in event time, as the evaluator does', () => {
    const numbers = Array.from({ length: 1200 }, (_, index) => ({
      prediction: index / 3,
      label: index === 1100 ? 'N/A' : index / 4,
    }));
    expect(countedPerformance(numbers)).toMatchObject({ task: 'regression', labelled: 1199 });
    const classes = Array.from({ length: 1200 }, (_, index) => ({
      prediction: index % 2 === 0,
      label: index % 3 === 0 ? 1 : 0,
    }));
    expect(countedPerformance(classes)).toMatchObject({
      task: 'binary',
      labelled: 1200,
      lossSum: 600,
      labelCounts: new Map([
        ['0', 800],
        ['1', 400],
      ]),
    });
  });

  it('goes on to the second label where the first outcomes have one', () => {
    const rare = Array.from({ length: 3000 }, (_, index) => ({
      prediction: 'legit',
      label: index >= 2000 && index % 10 === 0 ? 'fraud' : 'legit',
    }));
    expect(countedPerformance(rare)).toMatchObject({
      task: 'binary',
      labelled: 3000,
      lossSum: 100,
    });
  });
});
