import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './runCommand.ts';

export const peersFolder = join(import.meta.dirname, '..', '..', 'bench', 'peers');
const environmentsFolder = join(import.meta.dirname, '..', '..', '.driftloop', 'peers');

export interface Peer {
  name: string;
  version: string;
  /** The program of its virtual environment. */
  python: string;
}

/**
 * The Python packages that Driftloop is compared with.
 * @param onFailure told which peer cannot be installed, and why; the others are returned
 */
export async function installedPeers(
  onFailure: (name: string, reason: string) => void,
): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const file of readdirSync(peersFolder).filter(entry => entry.endsWith('.txt'))) {
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
 * A package in a virtual environment of its own, as their requirements contradict each other; installed again when its file in
 * bench/peers has changed, which names all packages that it needs.
 */
export async function installedPeer(name: string): Promise<Peer> {
  const requirementsFile = join(peersFolder, `${name}.txt`);
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

/** Without looking for what the packages need in turn: that takes pip longer than all downloads. */
async function installPeer(folder: string, requirementsFile: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await runCommand('python3', ['-m', 'venv', folder]);
  const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--no-compile'];
  await runCommand(pythonOf(folder), ['-m', 'pip', 'install', ...options, '-r', requirementsFile]);
}
