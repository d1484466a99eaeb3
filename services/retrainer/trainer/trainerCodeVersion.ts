import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import packageDescription from '../../../package.json' with { type: 'json' };

const builtInCodeVersion = `driftloop ${packageDescription.version}`;
const maxHashedBytes = 10 * 1024 * 1024;

/**
 * Names the code of a trainer, for the lineage. For the built-in trainer that is its version, for a
 * command its words, each with a hash if it is a file.
 * @example trainerCodeVersion(['python3', 'train.py']) // 'python3 train.py@sha256:5d41402abc4b'
 */
export function trainerCodeVersion(command?: string[]): string {
  return (
    command?.map((word, index) => (index === 0 ? word : word + fileHash(word))).join(' ') ??
    builtInCodeVersion
  );
}

/** Returns whether a trainer of this name is the built-in one, of any release. */
export function isBuiltIn(codeVersion: string): boolean {
  return /^driftloop \d\S*$/.test(codeVersion);
}

function fileHash(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status?.isFile() || status.size > maxHashedBytes) return '';
  return `@sha256:${createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12)}`;
}
