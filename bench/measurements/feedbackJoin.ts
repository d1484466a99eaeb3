import type { Feedback } from '../../services/shared/contracts.ts';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import { type BenchInstallation, withInstallation } from '../harness/benchInstallation.ts';
import type { Measurement } from '../harness/measurement.ts';
import { processCpuMs } from '../harness/processCpu.ts';
import { untilMerged } from '../harness/untilMerged.ts';
import { firstEventTimeMs, predictionId, recordsPerMinute } from '../streams/predictionStream.ts';
import { partitions } from '../streams/producePredictions.ts';

const labelsPerSend = 10_000;

/**
 * Measures the join of labels, which come in the order of their predictions and a day late, with
 * many stored predictions.
 */
export const feedbackJoin: Measurement = {
  name: 'feedback-join',
  async run({ quick, servers, onProgress }) {
    const stored = quick ? 200_000 : 10_000_000;
    const labels = quick ? 20_000 : 200_000;
    const rounds = quick ? 1 : 3;
    const { clickhousePid, ...stack } = await servers();
    return withInstallation(
      { clickhousePid, ...stack },
      'feedback_join',
      '',
      async installation => {
        await storePredictions(installation, stored);
        await untilMerged(installation.clickhouse);
        onProgress(`${stored} predictions are stored`);
        const evaluator = await installation.startService('evaluator');
        const first = stored - labels * (rounds + 1);
        await sendLabels(installation, first, labels);
        await installation.untilQuiet('evaluator');
        const perSecond: number[] = [];
        const clickhouseSeconds: string[] = [];
        for (let round = 1; round <= rounds; round++) {
          const before = {
            service: processCpuMs(evaluator.pid),
            clickhouse: processCpuMs(clickhousePid),
          };
          await sendLabels(installation, first + round * labels, labels);
          await installation.untilQuiet('evaluator');
          perSecond.push((labels * 1_000) / (processCpuMs(evaluator.pid) - before.service));
          const clickhouseMs = processCpuMs(clickhousePid) - before.clickhouse;
          clickhouseSeconds.push(((clickhouseMs * 1_000) / labels).toFixed(1));
          onProgress(
            `${Math.round(perSecond.at(-1)!)} labels/s; ClickHouse ${clickhouseSeconds.at(-1)} s per million`,
          );
        }
        const [joined] = await installation.clickhouse.select<{ outcomes: number }>(
          'SELECT count() AS outcomes FROM outcomes FINAL',
        );
        if (joined!.outcomes !== labels * (rounds + 1))
          throw new Error(`${joined!.outcomes} outcomes`);
        return [
          {
            name: `feedback join, evaluator, against ${stored} stored predictions`,
            unit: 'labels per CPU second',
            rounds: perSecond.map(value => ({ value, baseline: null })),
            target: { atLeast: 50_000 },
            note: `ClickHouse, CPU seconds per million labels: ${clickhouseSeconds.join(', ')}`,
          },
        ];
      },
    );
  },
};

async function storePredictions({ clickhouse }: BenchInstallation, count: number): Promise<void> {
  const portion = 1_000_000;
  for (let first = 0; first < count; first += portion) {
    await clickhouse.command(
      `INSERT INTO predictions (model, version, id, event_time, numeric_features,
                                categorical_features, prediction, source_partition, source_offset)
       SELECT 'bench', '1', concat('id-', leftPad(toString(number), 9, '0')),
              fromUnixTimestamp64Milli(toInt64(${firstEventTimeMs} + intDiv(number * 60000, ${recordsPerMinute}))),
              map('number_0', randNormal(0, 1)), map('category_0', 'value_1'), if(number % 3 = 0, 'yes', 'no'),
              number % ${partitions}, intDiv(number, ${partitions})
       FROM numbers(${first}, ${Math.min(portion, count - first)})`,
    );
  }
}

async function sendLabels(
  installation: BenchInstallation,
  first: number,
  count: number,
): Promise<void> {
  const { environment, producer, schemas } = installation;
  const topic = prefixed(environment, topics.feedback);
  const encode = await schemas.encoder<Feedback>('Feedback', topic);
  for (let start = first; start < first + count; start += labelsPerSend) {
    const messages = Array.from(
      { length: Math.min(labelsPerSend, first + count - start) },
      (_, offset) => {
        const index = start + offset;
        const id = predictionId(index);
        const time =
          firstEventTimeMs + Math.floor((index * 60_000) / recordsPerMinute) + 86_400_000;
        const label = index % 4 === 0 ? 'yes' : 'no';
        return {
          partition: index % partitions,
          key: id,
          value: encode({ id, label, time, model: 'bench', value: null }),
        };
      },
    );
    await producer.send({ topic, messages });
  }
}
