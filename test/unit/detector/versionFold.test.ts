import { describe, expect, it } from 'vitest';
import {
  begunFold,
  foldVersionWindow,
  rewound,
  type VersionFold,
} from '../../../services/detector/fold/versionFold.ts';
import { context, foldAll, hourMs, type Randomness, syntheticWindows } from './syntheticStream.ts';

const recordOf = (random: Randomness, window: number) => ({
  features: { x: random.normal() + (window < 150 ? 0 : 1) },
  prediction: random.uniform() < 0.5 ? 'up' : 'down',
});
const windows = syntheticWindows({ seed: 1, windows: 200, records: 60, recordOf });
const segments = ['', 'country=DE'];
const empty = begunFold({ model: 'm', version: '1' });

function foldFrom(start: VersionFold, first: number) {
  let fold = start;
  const verdicts: unknown[] = [];
  for (const window of windows.slice(first)) {
    const observed = new Map(segments.map(segment => [segment, window]));
    const result = foldVersionWindow(fold, window.startMs, observed, {
      detection: context.detection,
      withMetrics: false,
    });
    fold = result.fold;
    verdicts.push(result.folded.map(({ segment, verdict }) => ({ segment, verdict })));
  }
  return { fold, verdicts };
}

describe('a version fold', () => {
  const whole = foldFrom(empty, 0);

  it('folds each segment independently', () => {
    const { verdicts } = foldAll(windows);
    const ofAll = whole.verdicts.map(folded => (folded as { verdict: unknown }[])[0]!.verdict);
    expect(ofAll).toEqual(verdicts);
    expect(
      verdicts.filter(({ changes }) => changes.some(({ status }) => status === 'open')),
    ).toHaveLength(1);
  });

  it.each([199, 190, 170, 140, 20, 0])(
    'gives the same verdicts when it is rewound to window %i and replayed',
    changed => {
      const back = rewound(whole.fold, changed * hourMs);
      const resumed = back.checkpoints.at(-1)?.ordinal ?? 0;
      expect(resumed).toBeLessThanOrEqual(changed);
      expect(foldFrom(back, resumed).verdicts).toEqual(whole.verdicts.slice(resumed));
    },
  );

  it('keeps few states, so that going back n windows beyond the last 64 replays at most about 2n', () => {
    expect(whole.fold.checkpoints.length).toBeLessThanOrEqual(13);
    for (const back of [1, 2, 5, 10, 30]) {
      const { ordinal } = rewound(whole.fold, (200 - back) * hourMs).checkpoints.at(-1)!;
      expect(200 - ordinal).toBeLessThanOrEqual(2 * back + 1);
    }
  });
});
