import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './runCommand.ts';

/**
 * Installs Python packages in a virtual environment. When the file that lists them has changed, the
 * environment is made again.
 * @param requirementsFile lists all packages that are needed, with their versions, because pip then
 * need not resolve dependencies, which takes it longer than all downloads
 * @returns the folder of its programs, such as `python`
 * @throws Error with the last line of pip if they cannot be installed
 */
export async function pythonEnvironment(folder: string, requirementsFile: string): Promise<string> {
  const requirements = readFileSync(requirementsFile, 'utf8');
  const programs = join(folder, 'bin');
  const stamp = join(folder, 'requirements.txt');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === requirements) return programs;
  await rm(folder, { recursive: true, force: true });
  await runCommand('python3', ['-m', 'venv', folder]);
  const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--no-compile'];
  const python = join(programs, 'python');
  await runCommand(python, ['-m', 'pip', 'install', ...options, '-r', requirementsFile]);
  writeFileSync(stamp, requirements);
  return programs;
}
