import { consumedTopics } from '../shared/kafka/serviceFlow.ts';
import { runService } from '../shared/service/service.ts';
import { missingSecrets } from './external/missingSecrets.ts';
import { retrainerHandler, startRequests } from './retrainerHandler.ts';
import { missingPrograms } from './trainer/missingPrograms.ts';

await runService('retrainer', async context => {
  const { settings, log } = context;
  for (const warning of [...missingPrograms(settings), ...missingSecrets(settings)])
    log.warn(warning);
  const stopping = new AbortController();
  const stopSchedules = await startRequests(context);
  return {
    topics: consumedTopics('retrainer'),
    handler: await retrainerHandler(context, stopping.signal),
    stop() {
      stopSchedules();
      stopping.abort();
    },
  };
});
