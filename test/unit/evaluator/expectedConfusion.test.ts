import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accuracyFigure,
  expectedConfusion,
  figuresOfClass,
  macroAverage,
} from '../../../services/evaluator/estimates/quality/expectedConfusion.ts';
import {
  blocksOf,
  type Cell,
  estimateFigure,
  type Figure,
} from '../../../services/evaluator/estimates/quality/figure.ts';

const classCount = 3;
const metrics = ['precision', 'recall', 'f1'] as const;

/** Cells in each of which every class has a share of the labels and of the predictions. */
const cells: fc.Arbitrary<Cell[]> = fc
  .array(
    fc.record({
      records: fc.integer({ min: 1, max: 50 }),
      labels: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 3, maxLength: 3 }),
      predicted: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 3, maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map(drawn =>
    drawn.map(({ records, labels, predicted }, block) => ({
      records,
      squares: records,
      labels: shares(labels),
      predicted: shares(predicted),
      block,
      knownFrom: 100,
    })),
  );

function shares(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map(weight => weight / total);
}

/** The metrics as functions of the records of each label in each cell. */
function metricsOf(of: readonly Cell[], labelCounts: readonly (readonly number[])[]) {
  const sum = (term: (cell: Cell, index: number) => number) =>
    of.reduce((total, cell, index) => total + term(cell, index), 0);
  const names = Array.from({ length: classCount }, (_, name) => {
    const hits = sum((cell, index) => cell.predicted[name]! * labelCounts[index]![name]!);
    const predicted = sum(cell => cell.predicted[name]! * cell.records);
    const labelled = sum((_, index) => labelCounts[index]![name]!);
    return { hits, predicted, labelled };
  });
  const mean = (metric: (name: (typeof names)[number]) => number) =>
    names.reduce((total, name) => total + metric(name) / classCount, 0);
  return {
    accuracy: mean(({ hits }) => classCount * hits) / sum(({ records }) => records),
    precision: mean(({ hits, predicted }) => hits / predicted),
    recall: mean(({ hits, labelled }) => hits / labelled),
    f1: mean(({ hits, predicted, labelled }) => (2 * hits) / (predicted + labelled)),
  };
}

function figuresOf(of: readonly Cell[]): Record<'accuracy' | (typeof metrics)[number], Figure> {
  const confusion = expectedConfusion(of, classCount);
  const macro = (metric: (typeof metrics)[number]) =>
    macroAverage(
      new Map([0, 1, 2].map(name => [name, figuresOfClass(confusion, name)[metric]] as const)),
    );
  return {
    accuracy: accuracyFigure(confusion),
    precision: macro('precision'),
    recall: macro('recall'),
    f1: macro('f1'),
  };
}

describe('figures of an expected confusion matrix', () => {
  it('have the values of their formulas, and slopes that are the derivatives', () => {
    fc.assert(
      fc.property(cells, of => {
        const counts = of.map(({ records, labels }) => labels.map(share => records * share));
        const expected = metricsOf(of, counts);
        for (const [metric, figure] of Object.entries(figuresOf(of))) {
          const key = metric as keyof typeof expected;
          expect(figure.value).toBeCloseTo(expected[key], 9);
          for (const [index, cell] of of.entries())
            for (let label = 0; label < classCount; label++) {
              const moved = (step: number) => {
                const changed = counts.map(row => [...row]);
                changed[index]![label]! += step;
                return metricsOf(of, changed)[key];
              };
              const derivative = (moved(1e-4) - moved(-1e-4)) / 2e-4;
              expect(figure.slope(label, cell)).toBeCloseTo(derivative, 6);
            }
        }
      }),
    );
  });

  it('have wider intervals if cells share the error in their probabilities', () => {
    fc.assert(
      fc.property(cells, of => {
        const alike = of.map(({ records }) => ({ ...of[0]!, records }));
        const width = (members: readonly Cell[]) => {
          const figure = figuresOf(members).accuracy;
          const { lower, upper } = estimateFigure(figure, blocksOf(members, 1));
          return upper - lower;
        };
        const together = width(alike.map(cell => ({ ...cell, block: 0 })));
        const apart = width(alike.map((cell, block) => ({ ...cell, block })));
        expect(apart).toBeLessThanOrEqual(together + 1e-12);
      }),
    );
  });
});
