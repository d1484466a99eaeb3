import { consumedTopics } from '../shared/kafka/serviceFlow.ts';
import { runService } from '../shared/service/service.ts';
import { detectorHandler } from './detectorHandler.ts';

await runService('detector', async context => ({
  topics: consumedTopics('detector'),
  handler: await detectorHandler(context, Date.now),
}));
