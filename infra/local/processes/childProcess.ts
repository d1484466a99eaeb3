import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

export interface ChildProcessOptions {
  /** Name of the process in messages, such as "Kafka". */
  name: string;
  command: string;
  args: string[];
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** File for standard output and error. It is emptied at the start. */
  logFile: string;
  /** Receives each line of standard output, which then does not go to the log. */
  onLine?: (line: string) => void;
}

export interface ChildProcess {
  name: string;
  pid: number;
  logFile: string;
  /** Resolves when the process is gone: "ended with exit code 1", "was killed by SIGKILL". */
  exited: Promise<string>;
  /** Sends SIGTERM, and SIGKILL if the process is not gone in time. Resolves when it is gone. */
  stop(): Promise<void>;
}

/** Process ids of all children that run. Each is also the id of its process group. */
const running = new Set<number>();

/** Kills all children at once, without giving them time to stop. */
export function killChildProcesses(): void {
  for (const pid of running) signalProcess(-pid, 'SIGKILL');
}

/** Time that a process has to stop cleanly before it is killed. */
const stopTimeoutMs = 15_000;

/**
 * Waits for the end of its standard input, which only its starter holds open. So it wakes when the
 * starter is gone, however that ended, and then ends the process group of the child. `read` is
 * built into the shell, so a watchdog is one small process.
 */
const watchdogScript = `
read -r _
kill -TERM "$1" 2>/dev/null
tenths=0
while kill -0 "$1" 2>/dev/null && [ "$tenths" -lt ${stopTimeoutMs / 100} ]; do sleep 0.1; tenths=$((tenths + 1)); done
kill -s KILL -- "-$1" 2>/dev/null
`;

/**
 * Starts a command as a process group of its own. Ctrl-C in a terminal does not reach it, so that
 * its starter decides in which order processes stop. It never outlives its starter: a watchdog ends
 * it even if the starter is killed with SIGKILL.
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
  // Kill it first: if only its input were closed, it would end the process group of the child.
  return () => {
    watchdog.kill('SIGKILL');
    watchdog.stdin.destroy();
  };
}

/** Sends a signal. A negative pid means a process group. */
function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // ESRCH: the process is gone already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
