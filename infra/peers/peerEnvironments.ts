import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './runCommand.ts';

const environmentsFolder = join(import.meta.dirname, '..', '..', '.driftloop', 'peers');

export interface Peer {
  name: string;
  version: string;
  /** Program of its virtual environment. */
  python: string;
}

/**
 * Installs the Python packages that Driftloop is compared with, and returns those that could be
 * installed.
 * @param onFailure receives the name of each other one, and why
 */
export async function installedPeers(
  onFailure: (name: string, reason: string) => void,
): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const file of readdirSync(import.meta.dirname).filter(entry => entry.endsWith('.txt'))) {
    const name = file.slice(0, -'.txt'.length);
    try {
      peers.push(await installedPeer(name));
    } catch (error) {
      onFailure(name, (error as Error).message);
    }
  }
  return peers;
}

/**
 * Installs a package in a virtual environment of its own, because the requirements of the packages
 * contradict each other. The file beside this one names all packages that it needs; when that file
 * has changed, the environment is made again.
 * @throws Error with the last line of pip if it cannot be installed
 */
export async function installedPeer(name: string): Promise<Peer> {
  const requirementsFile = join(import.meta.dirname, `${name}.txt`);
  const requirements = readFileSync(requirementsFile, 'utf8');
  const version = requirements
    .split('\n')
    .find(line => line.startsWith(`${name}==`))!
    .slice(`${name}==`.length);
  const folder = join(environmentsFolder, name);
  if (!isInstalled(folder, requirements)) {
    await installPeer(folder, requirementsFile);
    writeFileSync(stampOf(folder), requirements);
  }
  return { name, version, python: pythonOf(folder) };
}

const pythonOf = (folder: string) => join(folder, 'bin', 'python');
const stampOf = (folder: string) => join(folder, 'requirements.txt');

function isInstalled(folder: string, requirements: string): boolean {
  return existsSync(stampOf(folder)) && readFileSync(stampOf(folder), 'utf8') === requirements;
}

/**
 * The file names everything, so pip does not resolve dependencies, which takes it longer than all
 * downloads.
 */
async function installPeer(folder: string, requirementsFile: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await runCommand('python3', ['-m', 'venv', folder]);
  const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--no-compile'];
  await runCommand(pythonOf(folder), ['-m', 'pip', 'install', ...options, '-r', requirementsFile]);
}
