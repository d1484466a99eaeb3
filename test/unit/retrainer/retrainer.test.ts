import { describe, expect, it } from 'vitest';
import {
  type Cause,
  causeOfDriftEvent,
  decideOnDriftEvent,
  decideOnRequest,
  runId,
} from '../../../services/retrainer/causes/retrainer.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';
import type { DriftEvent } from '../../../services/shared/contracts.ts';

const dayMs = 86_400_000;
const detectedMs = Date.UTC(2026, 0, 10);

function driftEvent(fields: Partial<DriftEvent> = {}): DriftEvent {
  return {
    id: 'e1',
    revision: 1,
    status: 'open',
    model: 'churn',
    version: '1',
    segment: '',
    feature: 'age',
    cause: 'data_drift',
    severity: 'warning',
    windowStart: detectedMs - 3_600_000,
    windowEnd: detectedMs,
    metric: 'psi',
    value: 1,
    threshold: 0.2,
    pValue: null,
    records: 100,
    reference: 'bootstrap',
    contributions: {},
    predictionContributions: {},
    changedValues: null,
    scale: 1,
    evidenceWindowStart: null,
    explanation: '',
    detectedAtEventTime: detectedMs,
    persistingSince: null,
    endReason: null,
    endedBy: null,
    endedAt: null,
    standing: null,
    ...fields,
  };
}

const settings = (retraining: string) =>
  parseSettings(`models: { churn: { retraining: { ${retraining} } } }`, 'test').of('churn');
const fresh = { championVersion: '1', lastTrainedEventTimeMs: null };

describe('decideOnDriftEvent', () => {
  it.each([
    ['data_drift', 'enabled: true', true],
    ['concept_drift', 'enabled: true', true],
    ['prediction_drift', 'enabled: true', false],
    ['prediction_drift', 'causes: [prediction_drift]', true],
    ['data_drift', 'causes: [concept_drift]', false],
    ['data_drift', 'enabled: false', false],
    ['data_quality', 'enabled: true', false],
    ['code_change', 'enabled: true', false],
  ] as const)('%s with { %s }: %s', (cause, retraining, train) => {
    const decision = decideOnDriftEvent(
      driftEvent({ cause }),
      detectedMs,
      settings(retraining),
      fresh,
    );
    expect(decision.train).toBe(train);
    if (!decision.train)
      expect(decision.reason).toMatch(
        retraining === 'enabled: false'
          ? /disabled/
          : new RegExp(`^The cause of the drift is ${cause}[.:,] `),
      );
  });

  it('measures the cooldown in event time, not in wall clock', () => {
    const decide = (lastTrainedEventTimeMs: number, atMs = detectedMs) =>
      decideOnDriftEvent(driftEvent(), atMs, settings('cooldown: 2d'), {
        championVersion: '1',
        lastTrainedEventTimeMs,
      });
    expect(decide(detectedMs - 2 * dayMs)).toEqual({ train: true });
    expect(decide(detectedMs - 2 * dayMs + 1)).toEqual({
      train: false,
      reason:
        'The cooldown is not over (retraining.cooldown). The last training used data up to 2026-01-08T00:00:00.001Z, ' +
        'so the next one may follow a drift that is seen at 2026-01-10T00:00:00.001Z or later (event time).',
    });
    expect(decide(detectedMs + dayMs).train).toBe(false);
    expect(decide(detectedMs, detectedMs + 2 * dayMs), 'a drift that goes on').toEqual({
      train: true,
    });
  });

  it('does not train for a version that no longer serves', () => {
    expect(
      decideOnDriftEvent(driftEvent(), detectedMs, settings('enabled: true'), {
        ...fresh,
        championVersion: '2',
      }),
    ).toEqual({
      train: false,
      reason: 'Version 1 drifted, but version 2 serves now.',
    });
  });
});

describe('causes', () => {
  it('are made from open drift events only', () => {
    expect(causeOfDriftEvent(driftEvent())).toEqual({
      type: 'drift_event',
      id: 'e1',
      model: 'churn',
    });
    expect(causeOfDriftEvent(driftEvent({ status: 'closed', revision: 3 }))).toBeNull();
    expect(causeOfDriftEvent(driftEvent({ status: 'withdrawn', revision: 2 }))).toBeNull();
  });

  it('lead to one run for all revisions of a drift event', () => {
    const cause = (fields: Partial<DriftEvent>): Cause => causeOfDriftEvent(driftEvent(fields))!;
    expect(runId(cause({ revision: 2, value: 7 }))).toBe(runId(cause({})));
    expect(runId(cause({ id: 'e2' }))).not.toBe(runId(cause({})));
    expect(runId({ type: 'manual', id: 'e1', model: 'churn' })).not.toBe(runId(cause({})));
  });

  it('from requests are refused only if retraining is disabled', () => {
    expect(decideOnRequest(settings('enabled: true'))).toEqual({ train: true });
    expect(decideOnRequest(settings('enabled: false')).train).toBe(false);
  });
});
