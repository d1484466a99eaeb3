import { consumedTopics } from '../shared/kafka/serviceFlow.ts';
import { runService } from '../shared/service/service.ts';
import { retrainerHandler, startRequests } from './retrainerHandler.ts';
import { missingPrograms } from './trainer/missingPrograms.ts';

await runService('retrainer', async context => {
  for (const warning of missingPrograms(context.settings)) context.log.warn(warning);
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
