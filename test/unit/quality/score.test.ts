import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Truth } from '../../../quality/counting/truthFile.ts';
import { countAlarms, meanScore, summarize } from '../../../quality/report/score.ts';

interface PublishedCase {
  streams: (Truth & { alarms: number[] })[];
  score: Record<string, number | null>;
}
/** Made by score.py. */
const cases: PublishedCase[] = JSON.parse(
  readFileSync(new URL('score.json', import.meta.url), 'utf8'),
);

const scored = ({ streams }: PublishedCase) =>
  summarize(streams.map(stream => countAlarms(stream.alarms, stream)));

describe('scores', () => {
  it.each(cases.map((published, index) => [index, published] as const))(
    'equal those of score.py in case %i',
    (_, published) => {
      const { score } = published;
      expect(scored(published)).toEqual({
        f1: expect.closeTo(score.f1!, 12),
        precision: expect.closeTo(score.precision!, 12),
        recall: expect.closeTo(score.recall!, 12),
        episodeRecall: expect.closeTo(score.episode_recall!, 12),
        f1Episode: expect.closeTo(score.f1_episode!, 12),
        truePositives: score.tp,
        falsePositives: score.fp,
        misses: score.fn,
        falseAlarms: expect.closeTo(score.far!, 12),
        falseAlarmsOfPaper: expect.closeTo(score.far_paper!, 12),
        meanDelay: score.mean_delay === null ? null : expect.closeTo(score.mean_delay!, 9),
        episodes: score.episodes,
      });
    },
  );

  it('cover hits, misses, false alarms and streams without drift', () => {
    const scores = cases.map(scored);
    expect(scores.some(({ misses }) => misses > 0)).toBe(true);
    expect(scores.some(({ truePositives }) => truePositives > 1)).toBe(true);
    expect(scores.some(({ falsePositives }) => falsePositives > 0)).toBe(true);
    expect(cases.some(({ streams }) => streams.some(({ starts }) => starts.length === 0))).toBe(
      true,
    );
  });

  it('are averaged over cells, independently of the number of their repeats', () => {
    const [found, missed] = [
      [100, 100, 100].map(alarm => countAlarms([alarm], truthAt(90))),
      [countAlarms([10], truthAt(90))],
    ].map(summarize) as [ReturnType<typeof summarize>, ReturnType<typeof summarize>];
    expect(meanScore([found, missed])).toMatchObject({
      f1: 0.5,
      falsePositives: 1,
      meanDelay: 10,
      episodes: 4,
    });
  });
});

function truthAt(start: number): Truth {
  return { starts: [start], maxDelay: 20, rows: 200, monitoredFrom: 0 };
}
