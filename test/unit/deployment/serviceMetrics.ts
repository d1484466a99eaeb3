import { detectorMetrics } from '../../../services/detector/detectorMetrics.ts';
import { evaluatorMetrics } from '../../../services/evaluator/evaluatorMetrics.ts';
import { mlflowMetrics } from '../../../services/mlflow/mlflowMetrics.ts';
import { profilerMetrics } from '../../../services/profiler/profilerMetrics.ts';
import { retrainerMetrics } from '../../../services/retrainer/retrainerMetrics.ts';
import { createMetrics } from '../../../services/shared/service/metrics.ts';

interface Definition {
  type: string;
  labelNames: string[];
}

/**
 * Returns the metrics of the services without those of Node. test/integration/metrics.test.ts asks
 * running services.
 */
export async function serviceMetrics(): Promise<Map<string, Definition>> {
  const definitions = new Map<string, Definition>();
  for (const makeOwn of [
    (metrics: ReturnType<typeof createMetrics>) => profilerMetrics(metrics, () => 0),
    evaluatorMetrics,
    retrainerMetrics,
    mlflowMetrics,
    (metrics: ReturnType<typeof createMetrics>) => detectorMetrics(metrics, () => [], Date.now),
  ]) {
    const metrics = createMetrics('test');
    makeOwn(metrics);
    for (const { name, type } of await metrics.registry.getMetricsAsJSON()) {
      if (!name.startsWith('driftloop_')) continue;
      const { labelNames } = metrics.registry.getSingleMetric(name) as unknown as {
        labelNames: string[];
      };
      definitions.set(name, { type: String(type), labelNames });
    }
  }
  return definitions;
}
