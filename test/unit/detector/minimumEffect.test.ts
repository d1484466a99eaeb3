import { describe, expect, it } from 'vitest';
import { minimumEffectOf } from '../../../services/detector/families/minimumEffect.ts';
import { initialState } from '../../../services/detector/fold/foldState.ts';
import { accountFor } from '../../../services/detector/fold/windowAccount.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';
import { context, foldAll, hourMs, syntheticWindows } from './syntheticStream.ts';

const detectionOf = (minimumEffect: string) =>
  parseSettings(`defaults: { detection: { minimumEffect: ${minimumEffect} } }`, 'file').of('m')
    .detection;

describe('minimumEffect', () => {
  it('is the PSI of a bell curve that moves by the deviations, for numbers', () => {
    expect(minimumEffectOf(detectionOf('{ deviations: 0.1 }'))).toEqual({
      psiOfNumber: expect.closeTo(0.01, 12),
      psi: 0.0025,
      defects: 0.01,
    });
  });

  it('is that of defects alone for windows that were judged before there was one', () => {
    expect(minimumEffectOf({})).toEqual({ psiOfNumber: 0, psi: 0, defects: 0.01 });
  });

  it.each(['{ deviations: -1 }', '{ psi: two }', '{ share: 0.1 }', '0.1'])(
    'is refused as %s',
    wrong => {
      expect(() => detectionOf(wrong)).toThrow('defaults.detection.minimumEffect');
    },
  );
});

describe('a certain but tiny change', { timeout: 60_000 }, () => {
  const windows = syntheticWindows({
    seed: 2,
    windows: 40,
    records: 5000,
    recordOf: ({ normal, uniform }, window) => ({
      features: {
        amount: normal() + (window < 24 ? 0 : 0.03),
        city: uniform() < (window < 24 ? 0.5 : 0.51) ? 'Rome' : 'Oslo',
      },
      prediction: uniform() < 0.5 ? 'a' : 'b',
    }),
  });
  const foldWith = (minimumEffect: string) =>
    foldAll(windows, initialState(null, context, hourMs), {
      ...context,
      detection: detectionOf(minimumEffect),
    });

  it('opens no drift event, and is told as withheld', () => {
    expect(foldWith('{}').events).toEqual([]);
    const { state } = foldAll(windows.slice(0, 31));
    const account = accountFor(state, windows[31]!, context);
    const features = account.families.find(({ name }) => name === 'features')!;
    expect(features.changed).toBe(true);
    expect(features.withheld).toMatch(/too small to matter.*detection\.minimumEffect/);
    expect(account.event).toBeNull();
  });

  it('opens one where every change matters', () => {
    expect(foldWith('{ deviations: 0, psi: 0 }').events[0]).toMatchObject({ cause: 'data_drift' });
  });
});

describe('defects', { timeout: 60_000 }, () => {
  it('have to rise by the share that matters', () => {
    const windows = syntheticWindows({
      seed: 4,
      windows: 30,
      records: 1000,
      recordOf: ({ normal, uniform }, window) => ({
        features: { amount: window >= 20 && uniform() < 0.05 ? null : normal() },
        prediction: 'a',
      }),
    });
    const eventsWith = (minimumEffect: string) =>
      foldAll(windows, initialState(null, context, hourMs), {
        ...context,
        detection: detectionOf(minimumEffect),
      }).events;
    expect(eventsWith('{ defects: 0.1 }')).toEqual([]);
    expect(eventsWith('{}')).toMatchObject([{ cause: 'data_quality', feature: 'amount' }]);
  });
});
