import { describe, expect, it } from 'vitest';
import {
  type CauseState,
  type EarlierTraining,
  isBack,
  isDue,
  pendingCauses,
} from '../../../services/retrainer/causes/pendingCauses.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';

const hourMs = 3_600_000;
const nowMs = Date.UTC(2026, 0, 20);
const settings = (retraining = '') =>
  parseSettings(`models: { m: { retraining: { ${retraining} } } }`, 'test').of('m');

function cause(id: string, hoursAgo: number, fields: Partial<CauseState> = {}): CauseState {
  return {
    id,
    cause: 'concept_drift',
    changedAtMs: nowMs - hoursAgo * hourMs,
    attempts: 1,
    isMended: false,
    rowsTried: 200,
    ...fields,
  };
}

function training(hoursAgo: number, fields: Partial<EarlierTraining> = {}): EarlierTraining {
  return { approved: false, judged: true, toMs: nowMs - hoursAgo * hourMs, ...fields };
}

const ids = (...of: Parameters<typeof pendingCauses>) => pendingCauses(...of).map(({ id }) => id);

describe('pendingCauses', () => {
  it('are the drifts that no version has mended, the newest first', () => {
    const causes = [cause('old', 90), cause('new', 40), cause('mended', 30, { isMended: true })];
    expect(ids(causes, [], nowMs, settings())).toEqual(['new', 'old']);
    const approved = training(50, { approved: true });
    expect(ids(causes, [approved], nowMs, settings()), 'a version knows the old one').toEqual([
      'new',
    ]);
  });

  it('are none of broken data, of changed code, or of what the settings leave out', () => {
    const causes = ['data_quality', 'code_change', 'prediction_drift', 'data_drift'].map(kind =>
      cause(kind, 40, { cause: kind }),
    );
    expect(ids(causes, [], nowMs, settings())).toEqual(['data_drift']);
    expect(ids(causes, [], nowMs, settings('enabled: false'))).toEqual([]);
  });

  it('wait for the cooldown after a training that was judged', () => {
    const causes = [cause('c', 40)];
    expect(ids(causes, [training(23)], nowMs, settings())).toEqual([]);
    expect(ids(causes, [training(24)], nowMs, settings())).toEqual(['c']);
    expect(ids(causes, [training(23, { judged: false })], nowMs, settings())).toEqual(['c']);
  });

  it('wait for the next day when a day has had its trainings', () => {
    const causes = [cause('c', 40)];
    const failed = [2, 5, 9, 23].map(hours => training(hours, { judged: false }));
    expect(ids(causes, failed, nowMs, settings())).toEqual([]);
    expect(ids(causes, failed, nowMs + hourMs, settings())).toEqual(['c']);
    expect(ids(causes, failed, nowMs, settings('maximumTrainingsPerDay: 5'))).toEqual(['c']);
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
