/**
 * The profiler as its own main.ts wires it. It prints its CPU time after each flush. The second
 * form leaves out the raw rows.
 *
 *   node bench/processes/meteredProfiler.ts
 *   node bench/processes/meteredProfiler.ts windows-only
 */
import { profilerHandler } from '../../services/profiler/profilerHandler.ts';
import { consumedTopics } from '../../services/shared/kafka/serviceFlow.ts';
import type { BatchHandler } from '../../services/shared/service/batchConsumer.ts';
import { runService } from '../../services/shared/service/service.ts';
import { printReading } from '../harness/meter.ts';

function metered(handler: BatchHandler): BatchHandler {
  let records = 0;
  return {
    maxUnflushedRecords: handler.maxUnflushedRecords,
    reset: () => handler.reset(),
    isUrgent: () => handler.isUrgent?.() ?? false,
    async take(taken, mayStore) {
      await handler.take(taken, mayStore);
      records += taken.length;
    },
    async flush() {
      await handler.flush();
      printReading(records);
    },
  };
}

const addRow = process.argv[2] === 'windows-only' ? () => {} : undefined;
await runService('profiler', async context => ({
  topics: consumedTopics('profiler'),
  handler: metered(await profilerHandler(context, undefined, addRow)),
}));
