import { topics } from '../shared/kafka/topics.ts';
import { runService } from '../shared/service/service.ts';
import { EvaluatorHandler } from './evaluatorHandler.ts';

await runService('evaluator', async context => ({
  topics: [topics.feedback, topics.windows],
  handler: await EvaluatorHandler.create(context),
}));
