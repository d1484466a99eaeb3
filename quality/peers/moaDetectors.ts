import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { runCommand } from '../../infra/python/runCommand.ts';

const pomFile = join(import.meta.dirname, 'pom.xml');
const program = join(import.meta.dirname, 'Detect.java');
const folder = join(import.meta.dirname, '..', '..', '.driftloop', 'peers', 'moa');
const library = join(folder, 'moa.jar');

/** The detectors of MOA as programs of this machine. */
export interface MoaDetectors {
  version: string;
  /**
   * Runs the detectors.
   * @param streams 0 (right) or 1 (wrong) per row
   * @returns for each stream, by detector, the rows (from 0) after which it signalled a change
   */
  signals(streams: readonly (readonly number[])[]): Promise<Record<string, number[]>[]>;
}

/** Fetches MOA and compiles Detect.java, once and whenever Detect.java or pom.xml has changed. */
export async function installedMoa(): Promise<MoaDetectors> {
  const pom = readFileSync(pomFile, 'utf8');
  const stamp = pom + readFileSync(program, 'utf8');
  const stampFile = join(folder, '.stamp');
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
    await install();
    writeFileSync(stampFile, stamp);
  }
  return { version: /<moa.version>(.+)</.exec(pom)![1]!, signals };
}

async function install(): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await runCommand('mvn', ['-q', '-B', '-f', pomFile, 'dependency:copy@moa', `-Dlib=${folder}`]);
  await runCommand('java', [
    '-jar',
    join(folder, 'ecj.jar'),
    '-17',
    '-cp',
    library,
    '-d',
    folder,
    program,
  ]);
}

async function signals(
  streams: readonly (readonly number[])[],
): Promise<Record<string, number[]>[]> {
  const errors = await mkdtemp(join(tmpdir(), 'driftloop-errors-'));
  try {
    const file = join(errors, 'errors.txt');
    await writeFile(file, streams.map(stream => `${stream.join('')}\n`).join(''));
    const output = await runCommand('java', [
      '-cp',
      [library, folder].join(delimiter),
      'Detect',
      file,
    ]);
    return output
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
  } finally {
    await rm(errors, { recursive: true, force: true });
  }
}
