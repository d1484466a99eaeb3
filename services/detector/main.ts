import { topics } from '../shared/kafka/topics.ts';
import { runService } from '../shared/service/service.ts';
import { detectorHandler } from './detectorHandler.ts';

await runService('detector', async context => ({
  topics: [topics.windows],
  handler: await detectorHandler(context, Date.now),
}));
