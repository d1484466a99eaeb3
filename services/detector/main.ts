import { runService } from '../shared/service.ts';
import { topics } from '../shared/topics.ts';
import { detectorHandler } from './detectorHandler.ts';

await runService('detector', async context => ({
  topics: [topics.windows],
  handler: await detectorHandler(context, Date.now),
}));
