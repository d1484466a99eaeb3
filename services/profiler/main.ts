import { topicsOfKind } from '../shared/config/inputs.ts';
import { consumedTopics } from '../shared/kafka/serviceFlow.ts';
import { runService } from '../shared/service/service.ts';
import { profilerHandler } from './profilerHandler.ts';

await runService('profiler', async context => ({
  topics: consumedTopics('profiler'),
  otherTopics: topicsOfKind(context.settings.inputs, 'prediction'),
  handler: await profilerHandler(context),
}));
