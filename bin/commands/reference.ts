import type { Command } from 'commander';
import { connectSchemaRegistry } from '../../services/shared/avro/schemaRegistry.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import type { Prediction, WindowUpdate } from '../../services/shared/contracts.ts';
import { connectProducer } from '../../services/shared/kafka/kafka.ts';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import { recordOf } from '../../services/shared/profile/features.ts';
import {
  type ReferenceRecord,
  referenceProfiles,
} from '../../services/shared/profile/referenceProfiles.ts';
import { contractValue } from '../../services/shared/records/contractValue.ts';
import { parseJson } from '../../services/shared/records/parseJson.ts';
import { UserError } from '../../services/shared/userError.ts';
import { publishReference } from '../../services/shared/windows/publishReference.ts';
import { readRecords } from '../replay/readRecords.ts';
import { requireServer } from '../servers/requireServer.ts';
import { withClickhouse, withKafka } from '../servers/withServers.ts';

const maxRecords = 1_000_000;

export function addReferenceCommand(program: Command): void {
  program
    .command('reference')
    .argument('<model>', 'name of the model')
    .argument('<version>', 'version whose windows are compared with the file')
    .argument('<file>', 'JSON Lines or CSV, plain or gzip, or Parquet')
    .description('Upload the data that a version is compared with, such as its training data.')
    .addHelpText(
      'after',
      `
A line is a prediction as producers log it, but only "features" is needed. With "time" the detector
also learns how much the data vary over time. With "prediction" and "score" the outputs get a
reference too. Afterwards the version is judged again from its first window on.

Example:
  driftloop reference churn 3 training.jsonl.gz`,
    )
    .action(runReference);
}

async function runReference(model: string, version: string, file: string): Promise<void> {
  const environment = readEnvironment();
  const windowSizeMs = readSettings(environment.DRIFTLOOP_CONFIG).of(model).windowSizeMs;
  const records = await referenceRecords(file, model, version);
  const reference = referenceProfiles(records, windowSizeMs);
  await requireServer(environment, 'SCHEMA_REGISTRY_URL');
  const topic = prefixed(environment, topics.windows);
  const encode = await connectSchemaRegistry(environment).encoder<WindowUpdate>(
    'WindowUpdate',
    topic,
  );
  await withClickhouse(environment, clickhouse =>
    withKafka(environment, async kafka => {
      const producer = await connectProducer(kafka);
      const of = { model, version, source: 'upload', windowSizeMs } as const;
      await publishReference(reference, of, { clickhouse, producer, topic, encode });
      await producer.disconnect();
    }),
  );
  const parts = new Set(reference.rows.map(row => row.window_start)).size;
  console.log(
    `reference ${reference.id} of ${model} ${version}: ${records.length} records in ${parts} parts`,
  );
}

/**
 * Reads the records in the order of event time.
 * @throws UserError that names the first line that cannot be used; nothing is uploaded then
 */
async function referenceRecords(
  file: string,
  model: string,
  version: string,
): Promise<ReferenceRecord[]> {
  const records: ReferenceRecord[] = [];
  for await (const lines of readRecords(file, 'prediction', null)) {
    for (const line of lines)
      records.push(referenceRecord(line, file, records.length, { model, version }));
    if (records.length > maxRecords)
      throw new UserError(`${file}: has more than ${maxRecords} records, take a sample of them`);
  }
  if (records.length === 0) throw new UserError(`${file}: has no records`);
  return records.sort((left, right) => left.eventTimeMs - right.eventTimeMs);
}

function referenceRecord(
  line: Buffer,
  file: string,
  index: number,
  version: Pick<Prediction, 'model' | 'version'>,
): ReferenceRecord {
  const place = `${file}: record ${index + 1}`;
  let content: object;
  try {
    content = Object(parseJson(line.toString('utf8')));
  } catch (error) {
    throw new UserError(`${place}: not JSON: ${(error as Error).message}`, { cause: error });
  }
  // A prediction needs these fields, a record of a reference does not. Where there are no times,
  // the order of the file counts as the order of time.
  const defaults = { id: place, time: index, prediction: '' };
  const { value, rejection } = contractValue({ ...defaults, ...content, ...version }, 'Prediction');
  if (rejection) throw new UserError(`${place}: ${rejection.message}`);
  return {
    eventTimeMs: value.time,
    features: recordOf(value.features),
    ...('prediction' in content && { prediction: value.prediction, score: value.score }),
  };
}
