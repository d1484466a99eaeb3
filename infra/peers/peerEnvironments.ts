import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pythonEnvironment } from '../python/pythonEnvironment.ts';

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
 * contradict each other. The file beside this one names all packages that it needs.
 * @throws Error with the last line of pip if it cannot be installed
 */
export async function installedPeer(name: string): Promise<Peer> {
  const requirementsFile = join(import.meta.dirname, `${name}.txt`);
  const version = readFileSync(requirementsFile, 'utf8')
    .split('\n')
    .find(line => line.startsWith(`${name}==`))!
    .slice(`${name}==`.length);
  const programs = await pythonEnvironment(join(environmentsFolder, name), [requirementsFile]);
  return { name, version, python: join(programs, 'python') };
}
