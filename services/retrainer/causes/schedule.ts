import { Cron } from 'croner';
import type { Settings } from '../../shared/config/settings.ts';
import type { RetrainRequest } from '../../shared/contracts.ts';
import { deterministicId } from '../../shared/deterministicId.ts';

const requestedBy = 'retrainer schedule';

/**
 * Returns the request for a training that is due at a time. The id follows from model and time, so
 * that several replicas ask for one training.
 */
export function scheduledRequest(model: string, timeMs: number): RetrainRequest {
  return {
    id: deterministicId('schedule', model, timeMs),
    model,
    reason: 'schedule',
    requestedBy,
    time: timeMs,
  };
}

/**
 * Starts the schedules of the settings: one for each model that the settings name, and one for all
 * other models. Times are UTC.
 * @param models returns the models that predictions have named so far
 * @returns a function that stops the schedules
 */
export function startSchedules(
  settings: Settings,
  models: () => Promise<string[]>,
  request: (requests: RetrainRequest[]) => Promise<void>,
  onError: (error: unknown) => void,
): () => void {
  const unnamed = async () =>
    (await models()).filter(model => !settings.configuredModels.includes(model));
  const jobs = [
    ...settings.configuredModels.map(model => ({
      pattern: settings.of(model).retraining.schedule,
      due: async () => [model],
    })),
    // No model has an empty name, so these are the settings of the models that the file does not
    // name.
    { pattern: settings.of('').retraining.schedule, due: unnamed },
  ].flatMap(({ pattern, due }) => {
    if (pattern === undefined) return [];
    const job = new Cron(pattern, { timezone: 'UTC', catch: onError }, async () => {
      const [scheduledAt] = job.previousRuns(1, new Date(Date.now() + 1));
      if (scheduledAt)
        await request((await due()).map(model => scheduledRequest(model, scheduledAt.getTime())));
    });
    return [job];
  });
  return () => {
    for (const job of jobs) job.stop();
  };
}
