/**
 * A service as its own main.ts wires it, with a reading of its CPU time after each flush.
 *
 *   node bench/processes/meteredService.ts profiler|profiler-windows-only|detector|evaluator
 */
import { detectorHandler } from '../../services/detector/detectorHandler.ts';
import { EvaluatorHandler } from '../../services/evaluator/evaluatorHandler.ts';
import { profilerHandler } from '../../services/profiler/profilerHandler.ts';
import { topics } from '../../services/shared/kafka/topics.ts';
import type { BatchHandler } from '../../services/shared/service/batchConsumer.ts';
import { runService, type ServiceContext } from '../../services/shared/service/service.ts';
import { printReading } from '../harness/meter.ts';

interface Wiring {
  topics: string[];
  handler(context: ServiceContext): Promise<BatchHandler>;
}

const wirings: Record<string, Wiring> = {
  profiler: { topics: [topics.predictions], handler: context => profilerHandler(context) },
  'profiler-windows-only': {
    topics: [topics.predictions],
    handler: context => profilerHandler(context, undefined, () => {}),
  },
  detector: { topics: [topics.windows], handler: context => detectorHandler(context, Date.now) },
  evaluator: {
    topics: [topics.feedback, topics.windows],
    handler: context => EvaluatorHandler.create(context),
  },
};

/** Has a handler print a reading after each of its flushes. */
function metered(handler: BatchHandler): BatchHandler {
  const take = handler.take.bind(handler);
  const flush = handler.flush.bind(handler);
  let records = 0;
  handler.take = async (taken, mayStore) => {
    await take(taken, mayStore);
    records += taken.length;
  };
  handler.flush = async () => {
    await flush();
    printReading(records);
  };
  return handler;
}

const name = process.argv[2] ?? '';
const wiring = wirings[name];
if (!wiring) throw new Error(`expected one of ${Object.keys(wirings).join(', ')}, got ${name}`);
await runService(name.split('-')[0]!, async context => ({
  topics: wiring.topics,
  handler: metered(await wiring.handler(context)),
}));
