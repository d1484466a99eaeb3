import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { TrainerFailure } from './trainerContract.ts';

const trainerScript = fileURLToPath(new URL('./trainer.ts', import.meta.url));
const longestErrorCharacters = 4_000;
const lastErrorLines = 5;
/** Addresses and passwords of the servers are none of a trainer's business. */
const withheldVariables = /^(KAFKA|SCHEMA_REGISTRY|CLICKHOUSE)_/;

/**
 * Runs a trainer on its folder, in a process of its own, to the end.
 * @param command settings.retraining.command; the built-in trainer if there is none
 * @param signal stops it
 * @throws TrainerFailure when it ends with another exit code than 0, cannot be started, or takes longer than `timeoutMs`; an AbortError
 * when it was stopped by the signal
 */
export async function runTrainer(
  folder: string,
  { command, timeoutMs, signal }: { command?: string[]; timeoutMs: number; signal: AbortSignal },
): Promise<void> {
  signal.throwIfAborted();
  const [program, ...programArguments] = command ?? [process.execPath, trainerScript];
  const child = spawn(program!, [...programArguments, folder], {
    // A process group of its own, so that what a script has started ends with it.
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !withheldVariables.test(name)),
    ),
  });
  let errorText = '';
  child.stderr.setEncoding('utf8').on('data', text => {
    errorText = (errorText + text).slice(-longestErrorCharacters);
  });
  // Its end is seen by `ended`; a trainer need not read its standard input.
  child.stdin.on('error', () => {});

  const ended = Promise.withResolvers<string | null>();
  child.on('error', error => ended.resolve(`cannot be started: ${error.message}`));
  child.on('close', (code, killedBy) =>
    ended.resolve(code === 0 ? null : killedBy ? `was ended by ${killedBy}` : `exit code ${code}`),
  );
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, timeoutMs);
  const abort = () => killGroup(child.pid);
  signal.addEventListener('abort', abort);
  const failure = await ended.promise;
  clearTimeout(timer);
  signal.removeEventListener('abort', abort);

  signal.throwIfAborted();
  if (timedOut)
    throw new TrainerFailure(`trainer: stopped after ${timeoutMs / 1000} s (retraining.timeout)`);
  if (failure !== null) throw new TrainerFailure(`trainer: ${failure}${lastLines(errorText)}`);
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
  return lines.length === 0 ? '' : `: ${lines.slice(-lastErrorLines).join(' | ')}`;
}
