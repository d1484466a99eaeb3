import { ClickHouseError } from '@clickhouse/client';
import { Command, CommanderError } from 'commander';
import { UserError } from '../services/shared/userError.ts';
import { addConfigCommand } from './commands/config.ts';
import { addDeadLettersCommand } from './commands/deadLetters.ts';
import { addDownCommand } from './commands/down.ts';
import { addMigrateCommand } from './commands/migrate.ts';
import { addRebuildCommand } from './commands/rebuild.ts';
import { addReferenceCommand } from './commands/reference.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addRetrainCommand } from './commands/retrain.ts';
import { addStatusCommand } from './commands/status.ts';
import { addTopicsCommand } from './commands/topics.ts';
import { addUpCommand } from './commands/up.ts';

const program = new Command('driftloop')
  .description(
    'Watches machine-learning models through their prediction and feedback topics, and retrains them.',
  )
  .addHelpText(
    'after',
    `
Servers are named by KAFKA_BROKERS, SCHEMA_REGISTRY_URL and CLICKHOUSE_URL (local ones by default).

Examples:
  driftloop topics && driftloop migrate      prepare servers; safe to repeat
  driftloop status                           is everything read, and what has drifted?
  driftloop replay --predictions p.jsonl.gz --feedback f.jsonl --report r.json
                                             run your own logs through the services`,
  )
  .configureHelp({ showGlobalOptions: false })
  .showHelpAfterError('(add --help for what is possible)')
  .exitOverride();

for (const add of [
  addUpCommand,
  addDownCommand,
  addStatusCommand,
  addReplayCommand,
  addRebuildCommand,
  addReferenceCommand,
  addRetrainCommand,
  addDeadLettersCommand,
  addConfigCommand,
  addTopicsCommand,
  addMigrateCommand,
]) {
  add(program);
}

try {
  await program.parseAsync();
} catch (error) {
  // At once: a client may still be waiting for a server that is gone.
  process.exit(exitCodeOf(error));
}

/** Commander has printed its own errors and its help. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode;
  console.error(error instanceof UserError || isRefusal(error) ? error.message : error);
  return 1;
}

/** A server that does not let this person in: wrong password, or no right to do this. */
function isRefusal(error: unknown): error is Error {
  if (error instanceof ClickHouseError)
    return ['AUTHENTICATION_FAILED', 'ACCESS_DENIED'].includes(error.type ?? '');
  return error instanceof Error && error.name === 'KafkaJSSASLAuthenticationError';
}
