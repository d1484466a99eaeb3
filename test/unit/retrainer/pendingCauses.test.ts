import { describe, expect, it } from 'vitest';
import {
  type CauseState,
  type EarlierTraining,
  isBack,
  isDue,
  mayTrain,
  pendingCauses,
} from '../../../services/retrainer/causes/pendingCauses.ts';
import { hasRoutine, routineCause } from '../../../services/retrainer/causes/routineCause.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';

const hourMs = 3_600_000;
const nowMs = Date.UTC(2026, 0, 20);
const settings = (retraining = '') =>
  parseSettings(`models: { m: { retraining: { ${retraining} } } }`, 'test').of('m');

function cause(id: string, hoursAgo: number, fields: Partial<CauseState> = {}): CauseState {
  return {
    id,
    version: '1',
    cause: 'concept_drift',
    changedAtMs: nowMs - hoursAgo * hourMs,
    attempts: 1,
    mendedBy: [],
    rowsTried: 200,
    ...fields,
  };
}

function training(hoursAgo: number, fields: Partial<EarlierTraining> = {}): EarlierTraining {
  return { approved: false, judged: true, toMs: nowMs - hoursAgo * hourMs, ...fields };
}

const ids = (causes: CauseState[], trainings: EarlierTraining[] = [], champion = '1') =>
  pendingCauses(causes, champion, trainings, settings()).map(({ id }) => id);

describe('pendingCauses', () => {
  it('are the drifts that no version has mended, the newest first', () => {
    const mended = cause('mended', 30, { mendedBy: ['2'] });
    const causes = [cause('old', 90), cause('new', 40), mended];
    expect(ids(causes)).toEqual(['new', 'old']);
    const approved = training(50, { approved: true });
    expect(ids(causes, [approved]), 'a version knows the old one').toEqual(['new']);
    expect(ids([cause('of-other', 40, { version: '0' })])).toEqual([]);
  });

  it('are also the drift that has made the champion, until a newer version serves', () => {
    const causes = [cause('mended', 60, { mendedBy: ['2', '3'] }), cause('new', 40)];
    const approved = [training(58, { approved: true }), training(50, { approved: true })];
    expect(ids(causes, approved, '3')).toEqual(['mended']);
    expect(ids(causes, approved, '4')).toEqual([]);
  });

  it('are none of broken data, of changed code, or of what the settings leave out', () => {
    const causes = ['data_quality', 'code_change', 'prediction_drift', 'data_drift'].map(kind =>
      cause(kind, 40, { cause: kind }),
    );
    expect(ids(causes)).toEqual(['data_drift']);
  });
});

describe('mayTrain', () => {
  it('is false before the cooldown after a training that was judged is over', () => {
    expect(mayTrain([], nowMs, settings())).toBe(true);
    expect(mayTrain([], nowMs, settings('enabled: false'))).toBe(false);
    expect(mayTrain([training(23)], nowMs, settings())).toBe(false);
    expect(mayTrain([training(24)], nowMs, settings())).toBe(true);
    expect(mayTrain([training(23, { judged: false })], nowMs, settings())).toBe(true);
  });

  it('is false when a day has had its trainings', () => {
    const failed = [2, 5, 9, 23].map(hours => training(hours, { judged: false }));
    expect(mayTrain(failed, nowMs, settings())).toBe(false);
    expect(mayTrain(failed, nowMs + hourMs, settings())).toBe(true);
    expect(mayTrain(failed, nowMs, settings('maximumTrainingsPerDay: 5'))).toBe(true);
  });
});

describe('routineCause', () => {
  const lastMs = Date.UTC(2026, 0, 1);
  const evidence = { model: 'm', lastMs, nowMs: lastMs + 10 * 24 * hourMs, rows: 2_500 };

  it('is due by rows, once each time that as many have come', () => {
    const every = settings('everyLabelledRows: 1000');
    const id = (rows: number) => routineCause({ ...evidence, rows }, every)?.id;
    expect(id(999)).toBeUndefined();
    expect(routineCause({ ...evidence, rows: 1_000 }, every)).toEqual({
      type: 'schedule',
      id: 'everyLabelledRows 1000 1 after 2026-01-01T00:00:00.000Z',
      model: 'm',
    });
    expect(id(1_999)).toBe(id(1_000));
    expect(id(2_000)).not.toBe(id(1_000));
  });

  it('is due by age', () => {
    expect(routineCause(evidence, settings('maximumAge: 11d'))).toBeNull();
    expect(routineCause(evidence, settings('maximumAge: 10d'))!.type).toBe('schedule');
    expect(hasRoutine(settings('maximumAge: 10d'))).toBe(true);
    expect(hasRoutine(settings('maximumAge: 10d, enabled: false'))).toBe(false);
    expect(hasRoutine(settings())).toBe(false);
    expect(routineCause(evidence, settings())).toBeNull();
  });
});

describe('isDue', () => {
  it('is true once at each of 1, 2, 4, 8 … times the rows that a comparison needs', () => {
    const attempts: number[] = [];
    for (let rows = 0; rows <= 4_000; rows++)
      if (isDue(rows, attempts.at(-1) ?? 0, 200)) attempts.push(rows);
    expect(attempts).toEqual([200, 400, 800, 1_600, 3_200]);
  });

  it('counts from the rows that were tried', () => {
    expect(isDue(1_599, 900, 200)).toBe(false);
    expect(isDue(1_600, 900, 200)).toBe(true);
  });
});

describe('isBack', () => {
  it('compares the champion with what it was before the change', () => {
    expect(isBack({ before: 0.2, now: 0.23, isRate: true })).toBe(true);
    expect(isBack({ before: 0.2, now: 0.24, isRate: true })).toBe(false);
    expect(isBack({ before: 1.6, now: 1.7, isRate: false })).toBe(true);
    expect(isBack({ before: 1.6, now: 14, isRate: false })).toBe(false);
  });
});
