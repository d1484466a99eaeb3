import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const trainerScript = fileURLToPath(new URL('./trainer.ts', import.meta.url));
const maxErrorCharacters = 4_000;
const lastErrorLines = 5;
/** A trainer has no need of the addresses and passwords of the servers. */
const withheldVariables = /^(KAFKA|SCHEMA_REGISTRY|CLICKHOUSE)_/;

export interface RunTrainerOptions {
  /** settings.retraining.command, or undefined for the built-in trainer. */
  command?: string[];
  timeoutMs: number;
  /** Stops the trainer. */
  signal: AbortSignal;
}

/**
 * Runs a trainer on its folder, in a process of its own, to the end.
 * @returns the reason to publish if the trainer ended with another exit code than 0, could not be
 * started, or took too long, and null if it succeeded
 * @throws AbortError if the signal stopped it
 */
export async function runTrainer(
  folder: string,
  { command, timeoutMs, signal }: RunTrainerOptions,
): Promise<string | null> {
  signal.throwIfAborted();
  const child = start(command ?? [process.execPath, trainerScript], folder);
  const ended = endOf(child);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, timeoutMs);
  const abort = () => killGroup(child.pid);
  signal.addEventListener('abort', abort);
  const failure = await ended;
  clearTimeout(timer);
  signal.removeEventListener('abort', abort);

  signal.throwIfAborted();
  return timedOut
    ? `The trainer was stopped after ${timeoutMs / 1000} s (retraining.timeout).`
    : failure;
}

function start([program, ...programArguments]: string[], folder: string): ChildProcess {
  const child = spawn(program!, [...programArguments, folder], {
    // A process group of its own, so that the processes that a script starts end with it.
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !withheldVariables.test(name)),
    ),
  });
  // A trainer need not read its standard input, and the end of the process is seen by `endOf`.
  child.stdin!.on('error', () => {});
  return child;
}

/** Resolves when the process has ended, with the reason to publish or null. */
function endOf(child: ChildProcess): Promise<string | null> {
  let errorText = '';
  child.stderr!.setEncoding('utf8').on('data', text => {
    errorText = (errorText + text).slice(-maxErrorCharacters);
  });
  return new Promise(resolve => {
    child.on('error', error => resolve(`The trainer cannot be started: ${error.message}`));
    child.on('close', (code, killedBy) => {
      const how = killedBy ? `was ended by ${killedBy}` : `ended with exit code ${code}`;
      resolve(code === 0 ? null : `The trainer ${how}.${lastLines(errorText)}`);
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // It has ended by itself in the meantime.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function lastLines(text: string): string {
  const lines = text
    .split('\n')
    .map(line => line.trimEnd())
    .filter(line => line !== '');
  return lines.length === 0 ? '' : ` Its last lines: ${lines.slice(-lastErrorLines).join(' | ')}`;
}
