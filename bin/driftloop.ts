import { Command, CommanderError } from 'commander';
import { UserError } from '../services/shared/userError.ts';
import { addConfigCommand } from './commands/config.ts';
import { addDeadLettersCommand } from './commands/deadLetters.ts';
import { addMigrateCommand } from './commands/migrate.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addRetrainCommand } from './commands/retrain.ts';
import { addStatusCommand } from './commands/status.ts';
import { addTopicsCommand } from './commands/topics.ts';

const program = new Command('driftloop')
  .description('Watches machine-learning models through their prediction and feedback topics, and retrains them.')
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
  addStatusCommand,
  addReplayCommand,
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
  process.exitCode = exitCodeOf(error);
}

/** Commander has printed its own errors and its help. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode;
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  return 1;
}
