import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { fileURLToPath } from 'node:url';

const trainerScript = fileURLToPath(new URL('./trainer.ts', import.meta.url));
const maxErrorCharacters = 4_000;
const lastErrorLines = 5;
const maxLogBytes = 10 * 1024 * 1024;
/** A trainer has no need of the addresses and passwords of the servers. */
const withheldVariables = /^(KAFKA|SCHEMA_REGISTRY|CLICKHOUSE)_/;

export interface RunTrainerOptions {
  /** settings.retraining.command, or undefined for the built-in trainer. */
  command?: string[];
  timeoutMs: number;
  /** What the trainer prints is added to this file. */
  logFile: string;
  /** What runs, for the reason; absent: the trainer. */
  subject?: string;
  /** Stops the trainer. */
  signal: AbortSignal;
}

/**
 * Runs a trainer on its folder, in a process of its own, to the end.
 * @returns the reason to publish if the trainer ended with another exit code than 0, could not be
 * started, or took too long, and null if it succeeded
 * @throws AbortError if the signal stopped it; an error of the file system if the log cannot be
 * written
 */
export async function runTrainer(
  folder: string,
  { command, timeoutMs, logFile, signal, subject }: RunTrainerOptions,
): Promise<string | null> {
  signal.throwIfAborted();
  const log = createWriteStream(logFile, { flags: 'a' });
  const written = finished(log);
  // It is awaited below, when the trainer has ended.
  written.catch(() => {});
  const child = start(command ?? [process.execPath, trainerScript], folder);
  keepOutput(child, log);
  const named = subject ?? 'The trainer';
  const setting = subject === undefined ? ' (retraining.timeout)' : '';
  const ended = endOf(child, named);
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
  log.end();
  await written;

  signal.throwIfAborted();
  return timedOut ? `${named} was stopped after ${timeoutMs / 1000} s${setting}.` : failure;
}

function start([program, ...programArguments]: string[], folder: string): ChildProcess {
  const child = spawn(program!, [...programArguments, folder], {
    // A process group of its own, so that the processes that a script starts end with it.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !withheldVariables.test(name)),
    ),
  });
  // A trainer need not read its standard input, and the end of the process is seen by `endOf`.
  child.stdin!.on('error', () => {});
  return child;
}

/** Writes what a trainer prints to its log, in the order in which it comes, up to a limit. */
function keepOutput({ stdout, stderr }: ChildProcess, log: WriteStream): void {
  let bytes = 0;
  const keep = (chunk: Buffer) => {
    if (bytes > maxLogBytes || log.destroyed) return;
    bytes += chunk.length;
    log.write(bytes > maxLogBytes ? '\n[more was printed, but is not kept]\n' : chunk);
  };
  stdout!.on('data', keep);
  stderr!.on('data', keep);
}

/** Resolves when the process has ended, with the reason to publish or null. */
function endOf(child: ChildProcess, subject: string): Promise<string | null> {
  let errorText = '';
  const decoder = new StringDecoder('utf8');
  child.stderr!.on('data', chunk => {
    errorText = (errorText + decoder.write(chunk)).slice(-maxErrorCharacters);
  });
  return new Promise(resolve => {
    child.on('error', error => resolve(`${subject} cannot be started: ${error.message}`));
    child.on('close', (code, killedBy) => {
      const how = killedBy ? `was ended by ${killedBy}` : `ended with exit code ${code}`;
      resolve(code === 0 ? null : `${subject} ${how}.${lastLines(errorText)}`);
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
