import { describe, expect, it } from 'vitest';
import { judgeStream } from '../../../quality/judge/judgeStream.ts';
import {
  countGenerated,
  type GeneratedStream,
  type Labelling,
} from '../../../quality/streams/generatedStream.ts';
import { randomOf } from '../../../quality/streams/random.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';

const windowSizeMs = 200_000;
const startMs = Date.UTC(2026, 0, 1);
const { detection } = parseSettings('', 'test').of('m');

/**
 * Returns a stream whose model is wrong four times as often from window 30 on. Its inputs never
 * change.
 */
function stream(): GeneratedStream {
  return {
    name: 'worse',
    windowSizeMs,
    truth: {
      dataset: 'worse',
      type: 'concept',
      mode: 'ABRUPT',
      starts: [30],
      maxDelay: 10,
      rows: 60,
      monitoredFrom: 0,
      labelDelay: 0,
      rowAt: timeMs => (timeMs - startMs) / windowSizeMs,
    },
    *rows() {
      const random = randomOf('judge');
      for (let row = 0; row < 60 * 200; row++) {
        const label = random.uniform() < 0.5;
        const isWrong = random.uniform() < (row < 30 * 200 ? 0.1 : 0.4);
        const features = { amount: random.normal() };
        const prediction = label === isWrong ? 'no' : 'yes';
        yield {
          timeMs: startMs + row * 1000,
          features,
          prediction,
          score: null,
          label: label ? 'yes' : 'no',
        };
      }
    },
  };
}

function alarmsOf(labelling: Labelling) {
  return judgeStream(countGenerated(stream(), labelling)!, detection).map(
    ({ event, raised, raisedAtMs }) => ({
      window: (event.windowStart - startMs) / windowSizeMs,
      cause: raised.cause,
      raisedAt: (raisedAtMs - startMs) / windowSizeMs,
    }),
  );
}

describe('judging a stream', { timeout: 60_000 }, () => {
  it('raises an alarm at the end of the window that alarmed', () => {
    expect(alarmsOf({ delayMs: 0, rate: 1 })).toEqual([
      { window: 30, cause: 'concept_drift', raisedAt: 31 },
    ]);
  });

  it('raises the alarm for the same window when its labels come late, at the time of the labels', () => {
    expect(alarmsOf({ delayMs: 5 * windowSizeMs, rate: 1 })).toEqual([
      { window: 30, cause: 'concept_drift', raisedAt: 36 },
    ]);
  });

  it('raises no alarm without labels', () => {
    expect(alarmsOf({ delayMs: 0, rate: 0 })).toEqual([]);
  });

  it('raises the alarm of a declared segment for the segment', () => {
    const inSegments: GeneratedStream = {
      ...stream(),
      segments: ['country'],
      *rows() {
        for (const row of stream().rows()) {
          yield { ...row, segment: { country: 'LU' } };
          for (let other = 0; other < 20; other++)
            yield { ...row, label: row.prediction, segment: { country: 'DE' } };
        }
      },
    };
    const counted = countGenerated(inSegments, { delayMs: 0, rate: 1 })!;
    const alarms = judgeStream(counted, detection);
    expect(alarms.map(({ raised }) => [raised.segment, raised.cause])).toContainEqual([
      'country=LU',
      'concept_drift',
    ]);
    expect(alarms.map(({ raised }) => raised.segment)).not.toContain('country=DE');
  });
});
