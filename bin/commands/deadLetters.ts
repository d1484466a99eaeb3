import type { Command } from 'commander';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { type DeadLetterFilter, replayDeadLetters } from '../deadLetters/replayDeadLetters.ts';
import { withClickhouse, withKafka } from '../servers/withServers.ts';
import { formatTable } from '../terminal/formatTable.ts';
import { wholeNumber } from '../terminal/wholeNumber.ts';

interface ListOptions {
  class?: string;
  model?: string;
  limit: number;
  json?: boolean;
}

interface DeadLetterRow {
  ingestedAt: string;
  topic: string;
  partition: number;
  offset: number;
  service: string;
  class: string;
  model: string;
  version: string;
  message: string;
}

export function addDeadLettersCommand(program: Command): void {
  const command = program
    .command('dead-letters')
    .description('List the records that no service could use, or send them again.');
  command
    .command('list')
    .description('Show the latest dead letters, each with its reason.')
    .option('--class <class>', 'only this class of error, such as malformed-json')
    .option('--model <model>', 'only records of this model')
    .option('--limit <number>', 'show at most this many', wholeNumber, 20)
    .option('--json', 'print one JSON object per line')
    .addHelpText(
      'after',
      '\nExample:\n  driftloop dead-letters list --class invalid-field --limit 100',
    )
    .action(runList);
  command
    .command('replay')
    .description('Send dead letters to their topics again, each at most once.')
    .option('--class <class>', 'only this class of error, such as unknown-schema-id')
    .option('--model <model>', 'only records of this model')
    .option(
      '--max-batch-mib <number>',
      'size after decompression up to which a batch is read that was set aside whole',
      wholeNumber,
      256,
    )
    .addHelpText(
      'after',
      `
Correct the cause first: docs/operators.md says what to do about each class. A dead letter goes
back to its topic and partition with the key, value and headers of its producer. The same Kafka
transaction marks it on topic dead-letter-replays, so that no call sends it twice. If a record
fails again, it becomes a new dead letter. With --model, records whose model could not be read are
left alone. Of a batch that was set aside whole (class batch-too-large) the records are sent one by
one. Where the topic has fewer partitions now, records go to the partition of their key.

Example, after the missing schema was registered:
  driftloop dead-letters replay --class unknown-schema-id`,
    )
    .action(runReplay);
}

async function runList(options: ListOptions): Promise<void> {
  const rows = await withClickhouse(readEnvironment(), clickhouse =>
    selectDeadLetters(clickhouse, options),
  );
  if (options.json) for (const row of rows) console.log(JSON.stringify(row));
  else if (rows.length === 0) console.log('no dead letters');
  else console.log(formatTable(rows.map(row => ({ ...row }))));
}

function selectDeadLetters(clickhouse: Clickhouse, options: ListOptions): Promise<DeadLetterRow[]> {
  return clickhouse.select<DeadLetterRow>(
    `SELECT formatDateTime(ingested_at, '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS ingestedAt,
            source_topic AS topic,
            source_partition AS partition, source_offset AS offset, service, class, model, version,
            message
     FROM dead_letters FINAL
     WHERE ({class:String} = '' OR class = {class:String})
       AND ({model:String} = '' OR model = {model:String})
     ORDER BY ingested_at DESC, source_topic, source_partition, source_offset DESC
     LIMIT {limit:UInt32}`,
    { class: options.class ?? '', model: options.model ?? '', limit: options.limit },
  );
}

async function runReplay({
  maxBatchMib,
  ...filter
}: DeadLetterFilter & { maxBatchMib: number }): Promise<void> {
  const environment = readEnvironment();
  const options = { ...filter, maxBatchBytes: maxBatchMib * 1024 * 1024 };
  const { replayed, sentByKey, replayedEarlier, others, left } = await withKafka(
    environment,
    (kafka, admin) => replayDeadLetters(kafka, admin, environment, options),
  );
  console.log(
    `sent again: ${replayed}; already sent earlier: ${replayedEarlier}; other classes or models: ${others}`,
  );
  if (sentByKey > 0)
    console.log(`sent by key, because their partition does not exist any more: ${sentByKey}`);
  for (const [reason, count] of left) console.log(`not sent: ${count}; ${reason}`);
  if (left.size > 0) process.exitCode = 1;
}
