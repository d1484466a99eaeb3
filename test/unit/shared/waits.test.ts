import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { Waits } from '../../../services/shared/service/waits.ts';

it('says which server is waited for, since when and why, and shows it as a metric', async () => {
  const clock = { nowMs: 1_000 };
  const registry = new Registry();
  const waits = new Waits([registry], () => clock.nowMs);
  expect(waits.reason(0)).toBeNull();
  waits.failed('ClickHouse', new Error('ECONNREFUSED'));
  clock.nowMs += 4_000;
  expect(waits.reason()).toBeNull();
  clock.nowMs += 8_000;
  waits.failed('ClickHouse', new Error('ECONNRESET'));
  expect(waits.reason()).toBe('waiting for ClickHouse for 12 s: ECONNRESET');
  expect(await registry.metrics()).toContain('driftloop_waiting_seconds{server="ClickHouse"} 12\n');
  waits.answered('ClickHouse');
  expect(waits.reason(0)).toBeNull();
  waits.failed('Kafka', 'no connection');
  waits.clear();
  expect(waits.reason(0)).toBeNull();
  expect(await registry.metrics()).toContain('driftloop_waiting_seconds{server="Kafka"} 0\n');
});
