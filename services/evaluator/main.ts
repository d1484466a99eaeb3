import { consumedTopics } from '../shared/kafka/serviceFlow.ts';
import { runService } from '../shared/service/service.ts';
import { evaluatorHandler } from './evaluatorHandler.ts';

await runService('evaluator', async context => ({
  topics: consumedTopics('evaluator'),
  handler: await evaluatorHandler(context),
}));
