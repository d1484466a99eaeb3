import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './runCommand.ts';

export const peersFolder = join(import.meta.dirname, 'peers');
const environmentsFolder = join(import.meta.dirname, '..', '.driftloop', 'peers');

export interface Peer {
  name: string;
  version: string;
  /** The program of its virtual environment. */
  python: string;
}

/**
 * The Python packages that Driftloop is compared with, each in a virtual environment of its own, installed when its line in
 * requirements.txt has changed.
 * @param install false: only those that are there
 * @param onFailure told which peer cannot be installed, and why; the others are returned
 */
export async function installedPeers(
  install: boolean,
  onFailure: (name: string, reason: string) => void,
): Promise<Peer[]> {
  const lines = readFileSync(join(peersFolder, 'requirements.txt'), 'utf8').split('\n');
  const peers: Peer[] = [];
  for (const line of lines.map(text => text.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, version] = /^([\w-]+)(?:\[\w+\])?==(\S+)/.exec(line)!;
    const folder = join(environmentsFolder, name!);
    try {
      if (!isInstalled(folder, line)) {
        if (!install) continue;
        await installPeer(folder, line);
      }
      peers.push({ name: name!, version: version!, python: pythonOf(folder) });
    } catch (error) {
      onFailure(name!, (error as Error).message);
    }
  }
  return peers;
}

const pythonOf = (folder: string) => join(folder, 'bin', 'python');
const stampOf = (folder: string) => join(folder, 'requirements.txt');

function isInstalled(folder: string, requirements: string): boolean {
  return existsSync(stampOf(folder)) && readFileSync(stampOf(folder), 'utf8') === requirements;
}

async function installPeer(folder: string, requirements: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await runCommand('python3', ['-m', 'venv', folder]);
  const options = ['--quiet', '--disable-pip-version-check', '--prefer-binary'];
  await runCommand(pythonOf(folder), ['-m', 'pip', 'install', ...options, ...requirements.split(' ')]);
  writeFileSync(stampOf(folder), requirements);
}
