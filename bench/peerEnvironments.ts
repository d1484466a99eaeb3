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
 * @param onFailure told which peer cannot be installed, and why; the others are returned
 */
export async function installedPeers(onFailure: (name: string, reason: string) => void): Promise<Peer[]> {
  const lines = readFileSync(join(peersFolder, 'requirements.txt'), 'utf8').split('\n');
  const peers: Peer[] = [];
  for (const line of lines.map(text => text.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, version] = /^([\w-]+)(?:\[\w+\])?==(\S+)/.exec(line)!;
    try {
      peers.push({ name: name!, version: version!, python: await installed(name!, line) });
    } catch (error) {
      onFailure(name!, (error as Error).message);
    }
  }
  return peers;
}

async function installed(name: string, requirements: string): Promise<string> {
  const folder = join(environmentsFolder, name);
  const stamp = join(folder, 'requirements.txt');
  const python = join(folder, 'bin', 'python');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === requirements) return python;
  await rm(folder, { recursive: true, force: true });
  await runCommand('python3', ['-m', 'venv', folder]);
  const options = ['--quiet', '--disable-pip-version-check', '--only-binary=:all:'];
  await runCommand(python, ['-m', 'pip', 'install', ...options, ...requirements.split(' ')]);
  writeFileSync(stamp, requirements);
  return python;
}
