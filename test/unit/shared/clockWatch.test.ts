import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { KafkaRecord } from '../../../services/shared/kafka/kafka.ts';
import { ClockWatch } from '../../../services/shared/service/clockWatch.ts';

const dayMs = 86_400_000;

/** Creates a machine whose clock and that of ClickHouse move only when the test moves them. */
function machine() {
  const clocks = { here: 100 * dayMs, there: 100 * dayMs };
  const lines: string[] = [];
  const shown: number[] = [];
  const watch = new ClockWatch({
    serverNowMs: async () => clocks.there,
    log: pino({}, { write: line => void lines.push(JSON.parse(line).msg) }),
    gauge: { set: (value: unknown) => void shown.push(Number(value)) },
    now: () => clocks.here,
  });
  return { clocks, lines, shown, watch };
}

const recordAt = (timestampMs: number) => ({ timestampMs }) as KafkaRecord;

it('says nothing while the clocks agree', async () => {
  const { clocks, lines, watch } = machine();
  clocks.there += 30_000;
  await watch.poll();
  watch.noteRecords(Array.from({ length: 50 }, () => recordAt(clocks.here + 1_000)));
  await watch.poll();
  expect([watch.reason(), lines, watch.nowMs()]).toEqual([null, [], clocks.here]);
});

it('names the difference, and takes the later clock for the present', async () => {
  const { clocks, lines, shown, watch } = machine();
  clocks.here -= 2 * dayMs;
  await watch.poll();
  expect(watch.reason()).toBe('the clock of this machine is 172800 s behind that of ClickHouse');
  expect(lines).toEqual([`${watch.reason()}; set the clocks`]);
  expect(watch.nowMs()).toBe(clocks.there);
  expect(shown).toEqual([172_800]);

  clocks.here += 3 * dayMs;
  await watch.poll();
  expect(watch.reason()).toBe('the clock of this machine is 86400 s ahead of that of ClickHouse');
  expect(watch.nowMs()).toBe(clocks.here);
});

it('says when all records are stamped ahead of the clock, and not when one is', async () => {
  const { clocks, lines, watch } = machine();
  const ahead = Array.from({ length: 50 }, () => recordAt(clocks.here + dayMs));
  watch.noteRecords(ahead);
  await watch.poll();
  expect(lines).toEqual([
    'all 50 records of the last minute are stamped at least 86400 s ahead of the clock of this machine: it or that of the producers is wrong',
  ]);
  watch.noteRecords([...ahead, recordAt(clocks.here)]);
  await watch.poll();
  expect(lines).toHaveLength(1);
});
