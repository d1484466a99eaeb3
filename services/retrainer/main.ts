import { consumedTopics } from '../shared/kafka/serviceFlow.ts';
import { runService } from '../shared/service/service.ts';
import { retrainerHandler, startRequests } from './retrainerHandler.ts';

await runService('retrainer', async context => {
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
