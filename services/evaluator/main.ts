import { runService } from '../shared/service.ts';
import { topics } from '../shared/topics.ts';
import { evaluatorHandler } from './evaluatorHandler.ts';

await runService('evaluator', async context => ({
  topics: [topics.feedback, topics.windows],
  handler: await evaluatorHandler(context),
}));
