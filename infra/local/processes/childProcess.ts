import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

export interface ChildProcessOptions {
  /** How messages call it, such as "Kafka". */
  name: string;
  command: string;
  args: string[];
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Receives standard output and error; emptied at the start. */
  logFile: string;
  /** Is given each line of standard output, which then does not go to the log. */
  onLine?: (line: string) => void;
}

export interface ChildProcess {
  name: string;
  pid: number;
  logFile: string;
  /** Resolves when the process is gone, with how it ended: "ended with exit code 1", "was killed by SIGKILL". */
  exited: Promise<string>;
  /** SIGTERM, and SIGKILL if it is not gone in time. Resolves when it is gone. */
  stop(): Promise<void>;
}

/** Leaders of the groups of all children that live. */
const running = new Set<number>();

/** Kills all children at once, for a person who does not want to wait for them to stop. */
export function killChildProcesses(): void {
  for (const pid of running) signalProcess(-pid, 'SIGKILL');
}

/** How long a process may take to stop cleanly before it is killed. */
const stopTimeoutMs = 15_000;

/**
 * Waits for the end of its standard input, which only the process that started it holds open: so it wakes when that process
 * is gone, however it ended, and then ends the group of the child. `read` is built in, so a watchdog is one small process.
 */
const watchdogScript = `
read -r _
kill -TERM "$1" 2>/dev/null
tenths=0
while kill -0 "$1" 2>/dev/null && [ "$tenths" -lt ${stopTimeoutMs / 100} ]; do sleep 0.1; tenths=$((tenths + 1)); done
kill -s KILL -- "-$1" 2>/dev/null
`;

/**
 * Starts a command as a process group of its own, so that Ctrl-C in a terminal does not reach it and whoever started it decides
 * the order of stopping. It never outlives its starter: a watchdog ends it even when the starter is killed with SIGKILL.
 */
export function startChildProcess(options: ChildProcessOptions): ChildProcess {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, 'w');
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    detached: true,
    stdio: ['ignore', options.onLine ? 'pipe' : log, log],
  });
  closeSync(log);
  if (child.stdout && options.onLine)
    createInterface({ input: child.stdout }).on('line', options.onLine);
  const pid = child.pid;
  if (pid === undefined) {
    const exited = new Promise<string>(resolve =>
      child.once('error', error => resolve(`could not be started: ${error.message}`)),
    );
    return {
      name: options.name,
      pid: 0,
      logFile: options.logFile,
      exited,
      stop: async () => void (await exited),
    };
  }

  running.add(pid);
  const endWatchdog = startWatchdog(pid);
  const exited = new Promise<string>(resolve => {
    child.once('exit', (code, signal) => {
      running.delete(pid);
      endWatchdog();
      signalProcess(-pid, 'SIGKILL');
      resolve(signal ? `was killed by ${signal}` : `ended with exit code ${code}`);
    });
  });
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    signalProcess(pid, 'SIGTERM');
    const timer = setTimeout(() => signalProcess(-pid, 'SIGKILL'), stopTimeoutMs);
    await exited;
    clearTimeout(timer);
  };
  let ending: Promise<void> | undefined;
  const stop = () => {
    ending ??= end();
    return ending;
  };
  return { name: options.name, pid, logFile: options.logFile, exited, stop };
}

function startWatchdog(pid: number): () => void {
  const watchdog = spawn('sh', ['-c', watchdogScript, 'driftloop-watchdog', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.unref();
  // SIGKILL first: closing its input alone would make it end the child's process group.
  return () => {
    watchdog.kill('SIGKILL');
    watchdog.stdin.destroy();
  };
}

/** A negative pid addresses the process group. */
function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It is gone already, which is what the signal was for.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
