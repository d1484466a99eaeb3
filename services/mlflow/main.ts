import { consumedTopics } from '../shared/kafka/serviceFlow.ts';
import { runService } from '../shared/service/service.ts';
import { mlflowHandler } from './mlflowHandler.ts';

await runService('mlflow', async context => {
  const stopping = new AbortController();
  return {
    topics: consumedTopics('mlflow'),
    handler: await mlflowHandler(context, stopping.signal),
    stop: () => stopping.abort(),
  };
});
