import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Command, CommanderError } from 'commander';
import { killChildProcesses } from '../../infra/local/processes/childProcess.ts';
import { localStackPorts } from '../../infra/local/processes/localStackPorts.ts';
import { UserError } from '../../services/shared/userError.ts';
import { runDemo } from './demo.ts';

interface Options {
  headless?: boolean;
  report?: string;
  dir: string;
}

/** npm passes on to its child the signal that the terminal has sent to that child already. */
const sameSignalMs = 500;
const signalNumbers = { SIGINT: 2, SIGTERM: 15 };

const program = new Command('npm start --')
  .description(
    'The whole loop on real data: servers, services and a scorer, from a prediction on Kafka to a better model version.',
  )
  .option(
    '--headless',
    'stop at the end of the story; exit code 1 if any part of it did not happen',
  )
  .option(
    '--report <file>',
    'write everything that was printed as JSON (examples/electricity/report.ts says how)',
  )
  .option(
    '--dir <folder>',
    'folder of data, models and logs; those of an earlier run are replaced',
    '.driftloop/demo',
  )
  .addHelpText(
    'after',
    `
Kafka listens on 9092, the schema registry on 8081, ClickHouse on 8123; DRIFTLOOP_KAFKA_PORT, DRIFTLOOP_REGISTRY_PORT and
DRIFTLOOP_CLICKHOUSE_PORT choose others (0: a free one).

Examples:
  npm start
  npm start -- --headless --report out.json`,
  )
  .allowExcessArguments(false)
  .showHelpAfterError('(add --help for what is possible)')
  .exitOverride();

const interruption = new AbortController();
let interruptedAtMs = 0;
for (const [name, number] of Object.entries(signalNumbers)) {
  process.on(name, () => {
    if (interruptedAtMs === 0) {
      interruptedAtMs = Date.now();
      process.exitCode = 128 + number;
      interruption.abort(new UserError('interrupted'));
    } else if (Date.now() - interruptedAtMs > sameSignalMs) {
      killChildProcesses();
      process.exit(128 + number);
    }
  });
}

// Ctrl-C in `npm start | tee log` ends tee first.
process.stdout.on('error', error => interruption.abort(error));

try {
  program.parse();
  const { headless = false, report, dir } = program.opts<Options>();
  if (report !== undefined) await requireWritable(report);
  const ports = localStackPorts();
  const complete = await runDemo({
    dir,
    ports,
    headless,
    report,
    interrupted: interruption.signal,
  });
  process.exitCode = complete ? 0 : 1;
} catch (error) {
  if (interruptedAtMs === 0) process.exitCode = exitCodeOf(error);
}

async function requireWritable(report: string): Promise<void> {
  await access(dirname(report), constants.W_OK).catch(cause => {
    throw new UserError(
      `--report ${report}: there is no folder ${dirname(report)} that could be written to`,
      {
        cause,
      },
    );
  });
}

/** Commander has printed its own errors and its help. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode;
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof UserError) console.error(message);
  else if (code === 'ENOSPC') console.error(`the disk is full: ${message}`);
  else if (code !== 'EPIPE') throw error;
  return 1;
}
