import { describe, expect, it } from 'vitest';
import { scheduledRequest, startSchedules } from '../../../services/retrainer/causes/schedule.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';
import type { RetrainRequest } from '../../../services/shared/contracts.ts';
import { requestEvent } from '../../../services/shared/records/requestEvent.ts';

describe('scheduledRequest', () => {
  it('has the same id on every replica, and a different one for every model and time', () => {
    expect(scheduledRequest('churn', 1000)).toEqual(scheduledRequest('churn', 1000));
    expect(scheduledRequest('churn', 2000).id).not.toBe(scheduledRequest('churn', 1000).id);
    expect(scheduledRequest('fraud', 1000).id).not.toBe(scheduledRequest('churn', 1000).id);
    expect(
      requestEvent('retrain-request', scheduledRequest('churn', 1000), {
        topic: 't',
        source: 'retrainer',
        value: Buffer.from('x'),
      }),
    ).toMatchObject({
      key: 'churn',
      headers: { ce_type: 'io.driftloop.retrain-request', ce_subject: 'churn' },
    });
  });
});

describe('startSchedules', () => {
  it('requests a training for each model whose own or default schedule is due, at the scheduled time', async () => {
    const settings = parseSettings(
      `
defaults: { retraining: { schedule: '* * * * * *' } }
models:
  own: { retraining: { schedule: '* * * * * *' } }
  rare: { retraining: { schedule: '0 0 29 2 *' } }`,
      'test',
    );
    const asked: RetrainRequest[] = [];
    const enough = Promise.withResolvers<void>();
    const stop = startSchedules(
      settings,
      async () => ['own', 'rare', 'unnamed'],
      async requests => {
        asked.push(...requests);
        if (new Set(asked.map(request => request.model)).size === 2) enough.resolve();
      },
      enough.reject,
    );
    await enough.promise;
    stop();
    expect(new Set(asked.map(request => request.model))).toEqual(new Set(['own', 'unnamed']));
    expect(asked.every(request => request.time % 1000 === 0 && request.reason === 'schedule')).toBe(
      true,
    );
    expect(new Set(asked.map(request => request.id)).size).toBe(asked.length);
  });
});
