import { topicsOfKind } from '../shared/config/inputs.ts';
import { consumedTopics } from '../shared/kafka/serviceFlow.ts';
import { runService } from '../shared/service/service.ts';
import { EvaluatorHandler } from './evaluatorHandler.ts';

await runService('evaluator', async context => ({
  topics: consumedTopics('evaluator'),
  otherTopics: topicsOfKind(context.settings.inputs, 'feedback'),
  handler: await EvaluatorHandler.create(context),
}));
