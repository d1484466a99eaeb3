import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { healthServer } from '../../../services/shared/service/healthServer.ts';
import { LoopHealth } from '../../../services/shared/service/loopHealth.ts';

const minuteMs = 60_000;

/** Creates a loop whose wall clock only moves when the test moves it. */
function loopWithClock() {
  const clock = { nowMs: 1_000_000 };
  return { clock, loop: new LoopHealth(() => clock.nowMs) };
}

describe('LoopHealth', () => {
  it('returns the time since the last progress', () => {
    const { clock, loop } = loopWithClock();
    clock.nowMs += 5_000;
    expect(loop.silentMs()).toBe(5_000);
    loop.progressed();
    expect(loop.silentMs()).toBe(0);
  });

  it('counts as stalled after more than two minutes without progress, and no longer after the next progress', () => {
    const { clock, loop } = loopWithClock();
    clock.nowMs += 2 * minuteMs;
    expect(loop.stallReason()).toBeNull();
    clock.nowMs += 1;
    expect(loop.stallReason()).toBe('the consumer loop has made no progress for 120 s');
    loop.progressed();
    expect(loop.stallReason()).toBeNull();
  });

  it('allows more time for long work, such as a training', () => {
    const { clock, loop } = loopWithClock();
    clock.nowMs += 32 * minuteMs;
    expect(loop.stallReason(30 * minuteMs)).toBeNull();
    clock.nowMs += 1;
    expect(loop.stallReason(30 * minuteMs)).toContain('for 1920 s');
  });

  it('is not confused by a wall clock that is set back', () => {
    const { clock, loop } = loopWithClock();
    clock.nowMs -= 60 * minuteMs;
    loop.progressed();
    expect(loop.silentMs()).toBe(0);
    clock.nowMs += 60 * minuteMs;
    expect(loop.silentMs()).toBe(0);
  });
});

describe('/ready', () => {
  it('answers 503 with the reason while the loop is stalled, and 200 otherwise', async () => {
    const { clock, loop } = loopWithClock();
    const server = healthServer(new Registry(), () => loop.stallReason());
    const ask = async () => {
      const { statusCode, body } = await server.inject('/ready');
      return { statusCode, body: JSON.parse(body) };
    };
    expect(await ask()).toEqual({ statusCode: 200, body: { status: 'ok' } });
    clock.nowMs += 11 * minuteMs;
    expect(await ask()).toEqual({
      statusCode: 503,
      body: { status: 'unready', reason: 'the consumer loop has made no progress for 660 s' },
    });
    expect((await server.inject('/live')).statusCode).toBe(200);
    loop.progressed();
    expect(await ask()).toEqual({ statusCode: 200, body: { status: 'ok' } });
    await server.close();
  });
});
