import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  begunFold,
  foldVersionWindow,
  rewound,
} from '../../../services/detector/fold/versionFold.ts';
import { context, type Randomness, syntheticWindows } from './syntheticStream.ts';

const recordOf = (random: Randomness, window: number) => ({
  features: { x: random.normal() + (window < 40 ? 0 : 1), y: random.uniform() < 0.5 ? 'a' : 'b' },
  prediction: random.uniform() < 0.5 ? 'up' : 'down',
});
/** Some windows are too small for a test and are pooled with the next one. */
const records = (window: number) => (window % 5 === 3 ? 20 : 80);
const windows = syntheticWindows({ seed: 3, windows: 90, records, recordOf });
const empty = begunFold({ model: 'm', version: '1' });

/** Folds windows in pages, and some windows again as if late data had changed them. */
function verdicts(pageSizes: readonly number[], lateAfterPage: readonly number[]): unknown[] {
  const last = new Map<number, unknown>();
  let fold = empty;
  let next = 0;
  const foldUntil = (end: number) => {
    for (; next < end; next++) {
      const window = windows[next]!;
      const result = foldVersionWindow(fold, window.startMs, new Map([['', window]]), {
        detection: context.detection,
        withMetrics: true,
      });
      fold = result.fold;
      last.set(
        window.startMs,
        result.folded.map(({ verdict, metrics }) => ({ verdict, metrics })),
      );
    }
  };
  for (let page = 0; next < windows.length; page++) {
    foldUntil(Math.min(windows.length, next + (pageSizes[page % pageSizes.length] ?? 1)));
    const changed = lateAfterPage[page];
    if (changed === undefined) continue;
    fold = rewound(fold, windows[changed % next]!.startMs);
    const [until, resumed] = [next, fold.checkpoints.at(-1)?.ordinal ?? 0];
    next = resumed;
    foldUntil(until);
  }
  return [...last.values()];
}

it('gives the same verdicts and metrics for any pages, and for windows that are folded again', () => {
  const whole = verdicts([windows.length], []);
  const opened = whole
    .flat()
    .filter(folded => (folded as { verdict: { change: unknown } }).verdict.change !== null);
  expect(opened.length).toBeGreaterThan(0);
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(89), { maxLength: 4 }),
      (pageSizes, late) => {
        expect(verdicts(pageSizes, late)).toEqual(whole);
      },
    ),
    { numRuns: 6 },
  );
});
