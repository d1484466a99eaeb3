import { consumedTopics } from '../shared/kafka/serviceFlow.ts';
import { runService } from '../shared/service/service.ts';
import { EvaluatorHandler } from './evaluatorHandler.ts';

await runService('evaluator', async context => ({
  topics: consumedTopics('evaluator'),
  handler: await EvaluatorHandler.create(context),
}));
