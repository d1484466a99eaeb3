import { runService } from '../shared/service.ts';
import { topics } from '../shared/topics.ts';
import { profilerHandler } from './profilerHandler.ts';

await runService('profiler', async context => ({
  topics: [topics.predictions],
  handler: await profilerHandler(context),
}));
