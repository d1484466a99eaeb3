import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { runCommand } from './runCommand.ts';

const lockPollMs = 200;

/**
 * Installs Python packages in a virtual environment. When a file that lists them has changed, the
 * environment is made again. Several processes may ask for the same one.
 * @param requirementsFiles list all packages that are needed, with their versions, because pip then
 * need not resolve dependencies, which takes it longer than all downloads
 * @returns the folder of its programs, such as `python`
 * @throws Error with the last line of pip if they cannot be installed
 */
export async function pythonEnvironment(
  folder: string,
  requirementsFiles: readonly string[],
): Promise<string> {
  const requirements = requirementsFiles.map(file => readFileSync(file, 'utf8')).join('');
  const programs = join(folder, 'bin');
  const stamp = join(folder, 'requirements.txt');
  const isMade = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === requirements;
  if (isMade()) return programs;
  await withLock(`${folder}.lock`, async () => {
    if (isMade()) return;
    await rm(folder, { recursive: true, force: true });
    await runCommand('python3', ['-m', 'venv', folder]);
    const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--no-compile'];
    const files = requirementsFiles.flatMap(file => ['-r', file]);
    await runCommand(join(programs, 'python'), ['-m', 'pip', 'install', ...options, ...files]);
    writeFileSync(stamp, requirements);
  });
  return programs;
}

/** Does work that one process does at a time. The lock of a process that was killed does not count. */
async function withLock(file: string, work: () => Promise<void>): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  while (!takeLock(file)) await pause(lockPollMs);
  try {
    await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function takeLock(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (!isRunning(file)) rmSync(file, { force: true });
    return false;
  }
}

function isRunning(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return true;
  } catch (error) {
    // A process of another user is running. Anything else is a process or a lock that is gone.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
