import { type Command, InvalidArgumentError } from 'commander';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { replayDeadLetters } from '../deadLetters/replayDeadLetters.ts';
import { withClickhouse, withKafka } from '../servers/withServers.ts';
import { formatTable } from '../terminal/formatTable.ts';

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
    .description('Records that no service could use: list them, or send them again.');
  command
    .command('list')
    .description('The latest dead letters, with the reason of each.')
    .option('--class <class>', 'only this kind of error, such as malformed-json')
    .option('--model <model>', 'only records of this model')
    .option('--limit <number>', 'how many at most', wholeNumber, 20)
    .option('--json', 'one JSON object per line')
    .addHelpText(
      'after',
      '\nExample:\n  driftloop dead-letters list --class invalid-field --limit 100',
    )
    .action(runList);
  command
    .command('replay')
    .description('Send dead letters to their topics again, each at most once.')
    .option('--class <class>', 'only this kind of error, such as unknown-schema-id')
    .option('--model <model>', 'only records of this model')
    .addHelpText(
      'after',
      `
A letter goes back to its topic and partition with the key, value and headers of its producer. What was sent is marked on
topic dead-letter-replays in the same transaction, so a second call sends nothing twice. A record that fails again is a
new dead letter. Records whose model could not be read are only sent without --model.

Example, after the missing schema was registered:
  driftloop dead-letters replay --class unknown-schema-id`,
    )
    .action(runReplay);
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number from 1');
  return value;
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
    `SELECT formatDateTime(ingested_at, '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS ingestedAt, source_topic AS topic,
            source_partition AS partition, source_offset AS offset, service, class, model, version, message
     FROM dead_letters FINAL
     WHERE ({class:String} = '' OR class = {class:String}) AND ({model:String} = '' OR model = {model:String})
     ORDER BY ingested_at DESC, source_topic, source_partition, source_offset DESC
     LIMIT {limit:UInt32}`,
    { class: options.class ?? '', model: options.model ?? '', limit: options.limit },
  );
}

async function runReplay(options: { class?: string; model?: string }): Promise<void> {
  const environment = readEnvironment();
  const { replayed, replayedEarlier, others } = await withKafka(environment, (kafka, admin) =>
    replayDeadLetters(kafka, admin, environment, options),
  );
  console.log(
    `sent again: ${replayed}; sent again earlier: ${replayedEarlier}; of other classes or models: ${others}`,
  );
}
