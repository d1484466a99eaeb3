import { topics } from '../shared/kafka/topics.ts';
import { runService } from '../shared/service/service.ts';
import { profilerHandler } from './profilerHandler.ts';

await runService('profiler', async context => ({
  topics: [topics.predictions],
  handler: await profilerHandler(context),
}));
