import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Command, CommanderError } from 'commander';
import { Interrupted, interruption } from '../../bin/terminal/interruption.ts';
import { localStackPorts } from '../../infra/local/processes/localStackPorts.ts';
import { UserError } from '../../services/shared/userError.ts';
import { runDemo } from './demo.ts';

interface Options {
  headless?: boolean;
  report?: string;
  dir: string;
}

const program = new Command('npm start --')
  .description(
    'The whole loop on real data: servers, services and a scorer, from a prediction on Kafka to a better model version.',
  )
  .option('--headless', 'stop at the end of the story; exit code 1 if a part of it did not happen')
  .option(
    '--report <file>',
    'write all that is printed as JSON (examples/electricity/report.ts describes it)',
  )
  .option(
    '--dir <folder>',
    'folder for data, models and logs; those of an earlier run are replaced',
    '.driftloop/demo',
  )
  .addHelpText(
    'after',
    `
Kafka listens on port 9092, the schema registry on 8081 and ClickHouse on 8123.
DRIFTLOOP_KAFKA_PORT, DRIFTLOOP_REGISTRY_PORT and DRIFTLOOP_CLICKHOUSE_PORT choose other ports;
0 means a free one.

Examples:
  npm start
  npm start -- --headless --report out.json`,
  )
  .allowExcessArguments(false)
  .showHelpAfterError('(--help shows what is possible)')
  .exitOverride();

const interrupted = interruption();
const outputEnded = new AbortController();
// In `npm start | tee log` Ctrl-C ends tee first.
process.stdout.on('error', error => outputEnded.abort(error));

try {
  program.parse();
  const { headless = false, report, dir } = program.opts<Options>();
  if (report !== undefined) await requireWritable(report);
  const isComplete = await runDemo({
    dir,
    ports: localStackPorts(),
    headless,
    report,
    interrupted: AbortSignal.any([interrupted, outputEnded.signal]),
  });
  process.exitCode = isComplete ? 0 : 1;
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

async function requireWritable(report: string): Promise<void> {
  await access(dirname(report), constants.W_OK).catch(cause => {
    throw new UserError(
      `--report ${report}: there is no folder ${dirname(report)} that could be written to`,
      { cause },
    );
  });
}

/** Prints an error, unless it was printed already or is due to Ctrl-C. Returns the exit code. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError || error instanceof Interrupted) return error.exitCode;
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof UserError) console.error(message);
  else if (code === 'ENOSPC') console.error(`the disk is full: ${message}`);
  else if (code !== 'EPIPE') throw error;
  return 1;
}
