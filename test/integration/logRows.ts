import type { RetrainRequest } from '../../services/shared/contracts.ts';
import { seededRandom } from '../../services/shared/model/seededRandom.ts';
import type { Installation } from '../freshInstallation.ts';

export const startMs = Date.UTC(2026, 0, 1);
export const minuteMs = 60_000;
export const rowCount = 2000;

export interface LoggedRow {
  features: Record<string, number | string | null>;
  prediction: string | number;
  label: string | number;
}

/** The label says whether x is above 5, as a number. The champion guesses. */
export function onX(index: number, random: () => number): LoggedRow {
  const x = random() * 10;
  return { features: { x }, prediction: index % 2, label: x > 5 ? 1 : 0 };
}

/** Logs rows of a model with their labels, all of them or those from one to before another. */
export async function logRows(
  { clickhouse }: Pick<Installation, 'clickhouse'>,
  model: string,
  row: (index: number, random: () => number) => LoggedRow,
  { from = 0, to = rowCount, version = '1' } = {},
): Promise<void> {
  const random = seededRandom(from + 5);
  const predictions: object[] = [];
  const outcomes: object[] = [];
  for (let index = from; index < to; index++) {
    const { features, prediction, label } = row(index, random);
    const entries = Object.entries(features).filter(([, value]) => value !== null);
    const common = {
      model,
      version,
      id: `p${index}`,
      event_time: new Date(startMs + index * minuteMs).toISOString(),
      prediction: String(prediction),
      prediction_value: typeof prediction === 'number' ? prediction : null,
      score: null,
      probabilities: {},
      segments: {},
    };
    predictions.push({
      ...common,
      numeric_features: Object.fromEntries(
        entries.filter(([, value]) => typeof value === 'number'),
      ),
      categorical_features: Object.fromEntries(
        entries.filter(([, value]) => typeof value === 'string'),
      ),
      code_version: '',
      latency_ms: null,
      source_partition: 0,
      source_offset: index,
    });
    outcomes.push({
      ...common,
      label: String(label),
      label_value: typeof label === 'number' ? label : null,
      value: null,
      observed_at: new Date(startMs + (index + 60) * minuteMs).toISOString(),
      precedence: index,
    });
  }
  await clickhouse.insert('predictions', predictions);
  await clickhouse.insert('outcomes', outcomes);
  await clickhouse.insert('stream_progress', [
    {
      model,
      version,
      source_partition: 0,
      last_offset: to,
      first_event_time: new Date(startMs).toISOString(),
      max_event_time: new Date(startMs + to * minuteMs).toISOString(),
      deduplicated_from: new Date(startMs).toISOString(),
      predictions: to,
    },
  ]);
}

/** Asks for a training, and does not wait for it. */
export async function askForTraining(
  { schemas, producer, environment }: Pick<Installation, 'schemas' | 'producer' | 'environment'>,
  model: string,
  id: string,
): Promise<void> {
  const topic = `${environment.DRIFTLOOP_TOPIC_PREFIX}retrain-requests`;
  const encode = await schemas.encoder<RetrainRequest>('RetrainRequest', topic);
  const request = { id, model, reason: 'manual', requestedBy: 'test', time: startMs } as const;
  await producer.send({ topic, messages: [{ key: model, value: encode(request) }] });
}
