import { inspect } from 'node:util';
import { ClickHouseError } from '@clickhouse/client';
import { Command, CommanderError } from 'commander';
import { kafkaMistake } from '../services/shared/kafka/kafkaMistake.ts';
import { UserError } from '../services/shared/userError.ts';
import { addAlertsCommand } from './commands/alerts.ts';
import { addConfigCommand } from './commands/config.ts';
import { addDeadLettersCommand } from './commands/deadLetters.ts';
import { addDownCommand } from './commands/down.ts';
import { addDriftCommand } from './commands/drift.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addMigrateCommand } from './commands/migrate.ts';
import { addRebuildCommand } from './commands/rebuild.ts';
import { addReferenceCommand } from './commands/reference.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addRetrainCommand } from './commands/retrain.ts';
import { addStatusCommand } from './commands/status.ts';
import { addTopicsCommand } from './commands/topics.ts';
import { addUpCommand } from './commands/up.ts';
import { addVersionsCommand } from './commands/versions.ts';
import { printSafely } from './terminal/printable.ts';

const program = new Command('driftloop')
  .description(
    'Watches machine-learning models through their predictions and feedback on Kafka, and retrains them.',
  )
  .addHelpText(
    'after',
    `
KAFKA_BROKERS, SCHEMA_REGISTRY_URL and CLICKHOUSE_URL name the servers. Without them, commands use
the default ports of this machine. All variables: docs/operators.md

Examples:
  driftloop up                               start servers and services on this machine
  driftloop topics && driftloop migrate      prepare servers of your own; safe to repeat
  driftloop status                           what runs, how far it is, and what has drifted
  driftloop replay --predictions p.jsonl.gz --feedback f.jsonl --report r.json
                                             run your own logs through the services`,
  )
  .configureHelp({ showGlobalOptions: false })
  .showHelpAfterError('(--help shows what is possible)')
  .exitOverride();

for (const add of [
  addUpCommand,
  addDownCommand,
  addStatusCommand,
  addExplainCommand,
  addReplayCommand,
  addRebuildCommand,
  addReferenceCommand,
  addRetrainCommand,
  addVersionsCommand,
  addAlertsCommand,
  addDriftCommand,
  addDeadLettersCommand,
  addConfigCommand,
  addTopicsCommand,
  addMigrateCommand,
]) {
  add(program);
}

printSafely();
try {
  await program.parseAsync();
} catch (error) {
  // Exit at once, because a client may still be waiting for a server that is gone.
  process.exit(exitCodeOf(error));
}

/** Prints an error, unless Commander has printed it already. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode;
  const mistake = error instanceof UserError ? error.message : kafkaMistake(error);
  console.error(mistake ?? (isRefusal(error) ? error.message : inspect(error)));
  return 1;
}

/** Returns true if a server refused the password, or the right to do this. */
function isRefusal(error: unknown): error is Error {
  if (error instanceof ClickHouseError)
    return ['AUTHENTICATION_FAILED', 'ACCESS_DENIED'].includes(error.type ?? '');
  return false;
}
