import { describe, expect, it } from 'vitest';
import type { WindowObservation } from '../../../services/detector/blocks/windowObservation.ts';
import type { DriftEventContent } from '../../../services/detector/events/driftEpisode.ts';
import {
  type DriftEventChange,
  driftEventRevisions,
} from '../../../services/detector/events/driftEventRevisions.ts';
import { foldWindow } from '../../../services/detector/fold/detector.ts';
import { type FoldState, initialState } from '../../../services/detector/fold/foldState.ts';
import {
  context,
  foldAll,
  hourMs,
  type Randomness,
  type SyntheticRecord,
  syntheticWindows,
} from './syntheticStream.ts';

const seeds = [1, 2, 3];

/**
 * Draws a record of a classifier of x + z, which is right in 85 % of the records. It does not use
 * the ten other features, which are of every kind.
 */
function recordOf(random: Randomness): SyntheticRecord {
  const x = random.normal();
  const z = random.normal();
  const features = {
    x,
    z,
    cauchy: Math.tan(Math.PI * (random.uniform() - 0.5)),
    lognormal: Math.exp(2 * random.normal()),
    count: Math.floor(-3 * Math.log(1 - random.uniform())),
    category: `c${Math.floor(20 * random.uniform() ** 3)}`,
    user: `u${Math.floor(500 * random.uniform() ** 2)}`,
    rare: random.uniform() < 0.02,
    constant: 1,
    gaps: random.uniform() < 0.02 ? null : random.normal(),
    rounded: Math.round(2 * random.normal()),
    mostlyZero: random.uniform() < 0.98 ? 0 : random.normal(),
  };
  const label = x + z + 0.7 * random.normal() > 0 ? 'up' : 'down';
  return { features, prediction: x + z > 0 ? 'up' : 'down', label };
}

function changedFrom(
  onset: number,
  change: (record: SyntheticRecord, random: Randomness, window: number) => SyntheticRecord,
) {
  return (random: Randomness, window: number) => {
    const record = recordOf(random);
    return window < onset ? record : change(record, random, window);
  };
}

const shifted = (name: string, by: number) => (record: SyntheticRecord) => ({
  ...record,
  features: { ...record.features, [name]: (record.features[name] as number) + by },
});

function eventsOf(
  seed: number,
  windows: number,
  draw: (random: Randomness, window: number) => SyntheticRecord,
) {
  return foldAll(syntheticWindows({ seed, windows, records: 200, recordOf: draw })).events;
}

describe('steady streams', { timeout: 60_000 }, () => {
  it.each(seeds)('raise nothing in 400 windows of 12 features (seed %i)', seed => {
    const { events, verdicts } = foldAll(
      syntheticWindows({ seed, windows: 400, records: 200, recordOf }),
    );
    expect(events).toEqual([]);
    expect(verdicts.slice(0, 10).every(({ status }) => status === 'reference')).toBe(true);
    expect(verdicts.slice(10).every(({ status }) => status === 'steady')).toBe(true);
  });

  it('stay within a budget of false alarms that is large enough to be measured', () => {
    const detection = { ...context.detection, falseAlarmsPerThousandWindows: 10 };
    let events = 0;
    for (let seed = 10; seed < 13; seed++) {
      const windows = syntheticWindows({ seed, windows: 100, records: 200, recordOf });
      events += foldAll(windows, initialState(null, context, hourMs), { ...context, detection })
        .events.length;
    }
    expect(events).toBeLessThanOrEqual(3);
  });

  it('raise nothing when traffic varies twenty-fold, and the resolution of profiles with it', () => {
    const records = (window: number) => (window % 10 === 9 ? 6000 : 300);
    const { events } = foldAll(syntheticWindows({ seed: 5, windows: 60, records, recordOf }));
    expect(events).toEqual([]);
  });
});

describe('one abrupt drift', { timeout: 60_000 }, () => {
  it.each(seeds)(
    'of one feature by one standard deviation gives one event within two windows, which names the feature (seed %i)',
    seed => {
      const { events, changes } = foldAll(
        syntheticWindows({
          seed,
          windows: 100,
          records: 200,
          recordOf: changedFrom(60, shifted('z', 1)),
        }),
      );
      expect(events).toHaveLength(1);
      expect(events[0]).toMatchObject({
        status: 'closed',
        cause: 'data_drift',
        feature: 'z',
        metric: expect.stringMatching('likelihood_ratio'),
      });
      expect(events[0]!.windowStart).toBeGreaterThanOrEqual(60 * hourMs);
      expect(events[0]!.windowStart).toBeLessThanOrEqual(61 * hourMs);
      expect(
        Object.values(events[0]!.contributions).reduce((sum, share) => sum + share),
      ).toBeCloseTo(1);
      expect(events[0]!.value).toBeGreaterThan(events[0]!.threshold);
      expect(changes[0]!.status).toBe('open');
    },
  );

  it('of the inputs that the model uses gives one event, although predictions and errors change as well', () => {
    const draw = changedFrom(60, record => ({ ...shifted('x', 2)(record), prediction: 'up' }));
    const [event, ...others] = eventsOf(1, 100, draw);
    expect(others).toEqual([]);
    expect(event).toMatchObject({ cause: 'data_drift', severity: 'critical', feature: 'x' });
    expect(event!.explanation).toContain('error rate rose');
  });

  it('of the concept is found by errors that rise while the inputs stay the same', () => {
    const draw = changedFrom(60, record => ({
      ...record,
      label: record.label === 'up' ? 'down' : 'up',
    }));
    const [event, ...others] = eventsOf(2, 100, draw);
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      cause: 'concept_drift',
      severity: 'critical',
      metric: 'error',
      feature: null,
    });
    expect(event!.value).toBeGreaterThan(0.7);
  });

  it('that begins with a new version of the code is a code change', () => {
    const withCode = (random: Randomness, window: number) => {
      const record = changedFrom(60, shifted('z', 1))(random, window);
      return { ...record, codeVersion: window < 60 ? 'a1' : 'b2' };
    };
    const [event, ...others] = eventsOf(3, 100, withCode);
    expect(others).toEqual([]);
    expect(event).toMatchObject({ cause: 'code_change', feature: 'z' });
    expect(event!.explanation).toContain('Code version b2 is new');
  });

  it('is not reported for a new version of the code alone', () => {
    expect(
      eventsOf(3, 90, (random, window) => ({
        ...recordOf(random),
        codeVersion: window < 60 ? 'a1' : 'b2',
      })),
    ).toEqual([]);
  });
});

describe('data quality', { timeout: 60_000 }, () => {
  const quality = (
    change: (record: SyntheticRecord, random: Randomness) => SyntheticRecord['features'],
  ): DriftEventContent[] =>
    eventsOf(
      4,
      90,
      changedFrom(60, (record, random) => ({ ...record, features: change(record, random) })),
    );

  it.each<
    [
      string,
      string,
      string,
      (record: SyntheticRecord, random: Randomness) => SyntheticRecord['features'],
    ]
  >([
    [
      'a burst of missing values',
      'z',
      'missing_rate',
      ({ features }, random) => ({ ...features, z: random.uniform() < 0.2 ? null : features.z }),
    ],
    [
      'a feature that vanished',
      'category',
      'missing_rate',
      ({ features: { category: _, ...rest } }) => rest,
    ],
    [
      'text instead of numbers',
      'z',
      'wrong_type_rate',
      ({ features }, random) => ({ ...features, z: random.uniform() < 0.3 ? 'n/a' : features.z }),
    ],
    [
      'NaN',
      'z',
      'non_finite_rate',
      ({ features }, random) => ({
        ...features,
        z: random.uniform() < 0.1 ? Number.NaN : features.z,
      }),
    ],
    [
      'absurd numbers',
      'z',
      'out_of_range_rate',
      ({ features }, random) => ({ ...features, z: random.uniform() < 0.1 ? 9999 : features.z }),
    ],
    [
      'categories never seen',
      'category',
      'unseen_rate',
      ({ features }, random) => ({
        ...features,
        category: random.uniform() < 0.2 ? 'new' : features.category,
      }),
    ],
    ['a stuck sensor', 'z', 'constant_records', ({ features }) => ({ ...features, z: 0.25 })],
    [
      'a feature that appeared',
      'extra',
      'unseen_rate',
      ({ features }, random) => ({ ...features, extra: random.normal() }),
    ],
  ])('names %s', (_, feature, metric, change) => {
    const [event, ...others] = quality(change);
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      cause: 'data_quality',
      feature,
      metric,
      windowStart: 60 * hourMs,
    });
    expect(event!.value).toBeGreaterThanOrEqual(event!.threshold);
  });

  it('names a second feature that breaks while the first is still broken', () => {
    const draw = (random: Randomness, window: number): SyntheticRecord => {
      const record = recordOf(random);
      const { category, ...rest } = record.features;
      if (window < 60) return record;
      return {
        ...record,
        features: { ...rest, extra: 1, ...(window < 63 && { category: category! }) },
      };
    };
    const [event, ...others] = eventsOf(4, 70, draw);
    expect(others).toEqual([]);
    expect(Object.keys(event!.contributions).sort()).toEqual(['category', 'extra']);
    expect(event!.explanation).toMatch(
      /[fF]eature extra appeared.*category is missing in|[cC]ategory is missing in.*feature extra appeared/,
    );
  });

  it('raises nothing for half a percent of missing values', () => {
    const draw = changedFrom(60, (record, random) => ({
      ...record,
      features: { ...record.features, z: random.uniform() < 0.005 ? null : record.features.z! },
    }));
    expect(eventsOf(4, 90, draw)).toEqual([]);
  });
});

describe('predictions that change alone', { timeout: 60_000 }, () => {
  const learning = (share: number, onset = 60) =>
    changedFrom(onset, (record, random) => ({
      features: record.features,
      prediction: random.uniform() < share ? 'up' : record.prediction,
    }));

  it('raise nothing when they change little by little, as those of a learning model do', () => {
    const slowly = (random: Randomness, window: number) =>
      learning(0.2 * Math.min(1, window / 150), 0)(random, window);
    expect(eventsOf(5, 200, slowly)).toEqual([]);
  });

  it('are a drift when they change at once while the inputs stand still', () => {
    expect(eventsOf(5, 100, learning(0.3))).toMatchObject([
      { cause: 'prediction_drift', metric: 'unexplained_movement' },
    ]);
  });

  it('raise nothing when only the scores become more extreme, as those of a learning model do', () => {
    const sharpening = (random: Randomness, window: number) => ({
      ...recordOf(random),
      score: random.uniform() ** (window < 60 ? 1 : 3),
    });
    expect(eventsOf(5, 100, sharpening)).toEqual([]);
  });

  it('are a prediction drift when they change by much', () => {
    const events = eventsOf(5, 100, learning(0.6));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      cause: 'prediction_drift',
      feature: 'prediction',
      severity: 'warning',
    });
  });

  it('are no drift if they changed before while the inputs stayed the same', () => {
    const wandering = (random: Randomness, window: number) => {
      const share = window < 60 ? 0.2 + 0.2 * Math.sin(window ** 2) : 0.75;
      return learning(share)(random, 60);
    };
    expect(eventsOf(5, 100, wandering)).toEqual([]);
  });

  it('are no drift until they were stationary for long enough', () => {
    expect(eventsOf(5, 40, learning(0.6, 14))).toEqual([]);
    expect(eventsOf(5, 70, learning(0.6, 40))).toMatchObject([{ cause: 'prediction_drift' }]);
  });

  it('are a drift of a model that stood still, even if the errors stayed the same', () => {
    const labelled = (random: Randomness, window: number) => {
      const record = learning(0.6)(random, window);
      // The error rate and the shares of the true classes stay as before, because errors of one
      // kind replace those of the other.
      return { ...record, label: random.uniform() < 0.5 ? 'up' : 'down' };
    };
    expect(eventsOf(5, 100, labelled)).toMatchObject([{ cause: 'prediction_drift' }]);
  });
});

describe('errors that change alone', { timeout: 60_000 }, () => {
  /**
   * Draws records of a model that varies between mistaking `up` for `down` and `down` for `up`. The
   * error rate rises from 20 to 30 % from window 100 on.
   */
  const wandering = (leaningOfRisen: number) => (random: Randomness, window: number) => {
    const leaning = window < 100 ? Math.sin(window ** 2) : leaningOfRisen;
    const errorRate = window < 100 ? 0.2 : 0.3;
    const label = random.uniform() < 0.5 ? 'up' : 'down';
    const isWrong = random.uniform() < errorRate * (label === 'up' ? 1 + leaning : 1 - leaning);
    return { features: {}, prediction: isWrong === (label === 'up') ? 'down' : 'up', label };
  };

  it('are no drift if they rise by no more than the change of the predictions can explain', () => {
    expect(eventsOf(7, 108, wandering(0.9))).toEqual([]);
  });

  it('are a drift if the predictions of the same model stay the same', () => {
    expect(eventsOf(7, 108, wandering(0))).toMatchObject([
      { cause: 'concept_drift', metric: 'error' },
    ]);
  });

  it('are a drift at each change, although the model learns and makes fewer errors after each', () => {
    const draw = (random: Randomness, window: number): SyntheticRecord => {
      const sinceChange = window < 40 ? 99 : (window - 40) % 40;
      const isWrong = random.uniform() < 0.1 + 0.4 * Math.exp(-sinceChange / 15);
      const label = random.uniform() < 0.5 ? 'up' : 'down';
      return { features: {}, prediction: isWrong === (label === 'up') ? 'down' : 'up', label };
    };
    const windows = syntheticWindows({ seed: 3, windows: 200, records: 200, recordOf: draw }).map(
      window => ({
        ...window,
        variables: new Map(),
        performance: { ...window.performance!, labelCounts: new Map() },
      }),
    );
    const found = foldAll(windows).events.map(({ windowStart }) => windowStart / hourMs);
    for (const change of [40, 80, 120, 160])
      expect(found.some(at => at >= change && at < change + 5)).toBe(true);
    expect(found).toHaveLength(4);
  });
});

describe('an episode', { timeout: 60_000 }, () => {
  it('ends when the new reference holds, and the next drift is found', () => {
    const draw = (random: Randomness, window: number) => {
      const record = recordOf(random);
      return shifted('z', window < 60 ? 0 : window < 90 ? 1 : 2)(record);
    };
    const events = eventsOf(6, 130, draw);
    expect(events.map(({ windowStart }) => windowStart / hourMs)).toEqual([60, 90]);
    expect(events.map(({ status }) => status)).toEqual(['closed', 'closed']);
  });

  it('ends soon enough for a drift twenty windows later to be another event', () => {
    const draw = (random: Randomness, window: number) =>
      shifted('z', window < 60 ? 0 : window < 80 ? 1 : 2)(recordOf(random));
    const events = eventsOf(6, 100, draw);
    expect(events.map(({ windowStart }) => windowStart / hourMs)).toEqual([60, 80]);
  });

  it('of a drift that never ends has one event with revisions', () => {
    const draw = (random: Randomness, window: number) =>
      shifted('z', Math.max(0, window - 60) * 0.3)(recordOf(random));
    const { events, changes } = foldAll(
      syntheticWindows({ seed: 7, windows: 160, records: 200, recordOf: draw }),
    );
    expect(events).toHaveLength(1);
    expect(events[0]!.status).toBe('open');
    expect(changes.length).toBeGreaterThan(2);
    expect(events[0]!.explanation).toContain('kept changing after a new reference');
  });
});

describe('small windows', { timeout: 60_000 }, () => {
  const windows = (draw: (random: Randomness, window: number) => SyntheticRecord, seed: number) =>
    syntheticWindows({ seed, windows: 1200, records: 5, recordOf: draw });

  it('are pooled until they have enough records for a test', () => {
    const { events, verdicts } = foldAll(windows(recordOf, 8));
    expect(events).toEqual([]);
    const later = verdicts.slice(200).map(({ status }) => status);
    expect(later.filter(status => status === 'steady')).toHaveLength(100);
    expect(later.filter(status => status === 'insufficient_data')).toHaveLength(900);
  });

  it('show a drift when enough of them are pooled', () => {
    const { events } = foldAll(windows(changedFrom(800, shifted('z', 1)), 8));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ cause: 'data_drift', feature: 'z' });
    expect(events[0]!.windowStart / hourMs).toBeLessThan(860);
  });
});

describe('a given reference', { timeout: 60_000 }, () => {
  const parts = syntheticWindows({ seed: 9, windows: 20, records: 300, recordOf }).map(part => ({
    ...part,
    variables: new Map([...part.variables].filter(([key]) => key.startsWith('feature/'))),
    performance: null,
  }));
  const given = initialState({ id: 'r', source: 'training', parts }, context, hourMs);

  it('is used from the first window on, and the outputs that it lacks come from the first windows', () => {
    const windows = syntheticWindows({ seed: 10, windows: 60, records: 200, recordOf });
    const { events, verdicts, state } = foldAll(windows, given);
    expect(events).toEqual([]);
    expect(verdicts[0]).toMatchObject({ status: 'steady', reference: 'training' });
    expect(state.inputs.versionReference.get('feature/x')!.source).toBe('training');
    expect(state.inputs.versionReference.get('output/prediction')!.source).toBe('bootstrap');
  });

  it('leads to an event in the first window if the stream never matched it', () => {
    const windows = syntheticWindows({
      seed: 10,
      windows: 30,
      records: 200,
      recordOf: changedFrom(0, shifted('x', 1)),
    });
    const { events } = foldAll(windows, given);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ windowStart: 0, feature: 'x', reference: 'training' });
  });
});

describe('replays', { timeout: 60_000 }, () => {
  const draw = changedFrom(60, record => ({
    ...shifted('z', 0.6)(record),
    label: record.label === 'up' ? 'down' : 'up',
  }));
  const windows = syntheticWindows({ seed: 11, windows: 110, records: 200, recordOf: draw });
  const unlabelled = windows.map(window => ({ ...window, performance: null }));

  it('from any state give the same verdicts, because states are never changed', () => {
    const whole = foldAll(windows);
    let state: FoldState = initialState(null, context, hourMs);
    const states = windows.map(window => (state = foldWindow(state, window, context).state));
    for (const from of [5, 40, 61, 70]) {
      expect(foldAll(windows.slice(from + 1), states[from]!).verdicts).toEqual(
        whole.verdicts.slice(from + 1),
      );
    }
  });

  it('with labels that come three windows late end with the same events as with labels at once', () => {
    const late = foldWithLateLabels(windows, unlabelled, 3);
    const [event] = foldAll(windows).events;
    expect(
      late
        .filter(({ status }) => status !== 'withdrawn')
        .map(({ revision: _, ...content }) => content),
    ).toEqual([event]);
    expect(event!.explanation).toContain('error rate');
  });
});

/** Folds windows without labels, and again with them, as the service does when labels arrive. */
function foldWithLateLabels(
  labelled: WindowObservation[],
  unlabelled: WindowObservation[],
  delay: number,
) {
  const states: FoldState[] = [];
  let published = new Map();
  for (let window = 0; window < labelled.length + delay; window++) {
    const refoldedFrom = Math.max(0, window - delay);
    const start =
      refoldedFrom === 0 ? initialState(null, context, hourMs) : states[refoldedFrom - 1]!;
    const settled = start.episode ? foldedChanges(published, start) : [];
    const fresh: DriftEventChange[] = [];
    let state = start;
    for (let index = refoldedFrom; index <= Math.min(window, labelled.length - 1); index++) {
      const folded = foldWindow(
        state,
        (index <= window - delay ? labelled : unlabelled)[index]!,
        context,
      );
      state = folded.state;
      states[index] = state;
      for (const content of folded.verdict.changes)
        (index < window ? settled : fresh).push({ content, atMs: 0 });
    }
    const revisions = driftEventRevisions(published, settled, fresh, refoldedFrom * hourMs, hourMs);
    published = new Map([
      ...published,
      ...revisions.map(({ event }) => [event.id, event] as const),
    ]);
  }
  return [...published.values()];
}

function foldedChanges(published: ReadonlyMap<string, DriftEventContent>, state: FoldState) {
  const open = [...published.values()].find(
    ({ windowStart }) => windowStart === state.episode!.windowStartMs,
  );
  return open ? [{ content: { ...open, status: 'open' as const }, atMs: 0 }] : [];
}
