import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { serialize } from 'node:v8';

const root = new URL('../../', import.meta.url);
const valueImport = /^(?:import|export) (?!type )[^;]*? from '([^']+)';/gm;

/**
 * Identity of the code that makes fold states: a hash of the source of the fold, of what reads its windows, and of all that they
 * import, with the versions of the packages, and of the format that states are stored in. A checkpoint of other code is not used, since
 * nobody can tell whether the new code would have come to it. Nobody has to remember anything; the price is that an
 * upgrade that touches one of these files folds the history once more.
 */
export function foldAlgorithm(): string {
  const hash = createHash('sha256');
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  const files = ['./versionFold.ts', './observedWindows.ts'].map(file => new URL(file, import.meta.url).href);
  const packages = new Set<string>();
  // The array grows while it is walked.
  for (const file of files) {
    const source = readFileSync(new URL(file), 'utf8');
    hash.update(source);
    for (const [, specifier] of source.matchAll(valueImport)) {
      const imported = specifier!.startsWith('.') ? new URL(specifier!, file).href : null;
      if (imported && !files.includes(imported)) files.push(imported);
      if (!imported) packages.add(`${specifier} ${dependencies[specifier!]}`);
    }
  }
  hash.update([...packages].sort().join());
  // Its first two bytes name the version of the format.
  hash.update(serialize(null).subarray(0, 2));
  return hash.digest('hex').slice(0, 32);
}
