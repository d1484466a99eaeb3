import { expect, it } from 'vitest';
import { beginCounters, createMetrics } from '../../../services/shared/service/metrics.ts';

it('lets the counters of a topic begin at 0, so that a first increase is seen', async () => {
  const metrics = createMetrics('test');
  beginCounters(metrics, ['t']);
  const text = await metrics.registry.metrics();
  for (const series of [
    'driftloop_records_total{topic="t",service="test"} 0',
    'driftloop_lost_records_total{topic="t",service="test"} 0',
    'driftloop_topic_breaks_total{topic="t",reason="deleted",service="test"} 0',
    'driftloop_dead_letters_total{topic="t",class="malformed-json",service="test"} 0',
    'driftloop_dead_letters_total{topic="t",class="batch-too-large",service="test"} 0',
  ])
    expect(text).toContain(`${series}\n`);
});
