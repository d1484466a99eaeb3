import { describe, expect, it } from 'vitest';
import { replayLine } from '../../../bin/replay/replayLine.ts';

const parsed = (text: string) => {
  const { key, timeMs, value } = replayLine(Buffer.from(text));
  return { key, timeMs, value: value.toString() };
};

describe('replayLine', () => {
  it('reads id and time, in ISO 8601 or ms, and keeps the line as it is', () => {
    const iso = '{ "id": "a", "time": "2026-01-01T00:00:00Z" } ';
    expect(parsed(iso)).toEqual({ key: 'a', timeMs: Date.UTC(2026, 0, 1), value: iso });
    expect(parsed('{"id":"a","time":1000}').timeMs).toBe(1000);
    expect(parsed('{"id":7,"time":1767225600.5,"score":NaN}')).toMatchObject({
      key: '7',
      timeMs: Date.UTC(2026, 0, 1) + 500,
    });
  });

  it('returns null for an id or a time that it cannot read', () => {
    for (const text of [
      'garbage',
      'null',
      '3',
      '[]',
      '{}',
      '{"id":7.5,"time":{}}',
      '{"id":null,"time":"yesterday"}',
    ]) {
      expect(parsed(text)).toEqual({ key: null, timeMs: null, value: text });
    }
  });

  it('ignores an infinite time, for which feedback would wait for ever', () => {
    expect(parsed('{"id":"a","time":1e999}').timeMs).toBeNull();
  });

  it('does not use a very long id as the key', () => {
    expect(parsed(JSON.stringify({ id: 'x'.repeat(257) })).key).toBeNull();
  });
});
