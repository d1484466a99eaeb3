import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { serialize } from 'node:v8';
import jsTokens from 'js-tokens';

/** The code that computes states, and the code that reads windows. */
const entryFiles = ['../fold/versionFold.ts', '../store/observedWindows.ts'];
const packageFile = new URL('../../../package.json', import.meta.url);
const importStatement = /(?:import|export) (?!type )([^;]*?) from '([^']+)' ;/g;
const trailingComma = / , ([)\]}])/g;

/**
 * Returns the identity of the code that makes fold states. A checkpoint of other code is not used,
 * because the new code might have come to another state. No version has to be raised by hand; the
 * price is that an upgrade that changes this code folds the history once more.
 *
 * The identity covers the source of the fold, the source of everything that it imports, the
 * versions of the imported packages, and the format in which states are stored. Comments, white
 * space, file names and folders do not change it.
 */
export function foldAlgorithm(): string {
  const { dependencies } = JSON.parse(readFileSync(packageFile, 'utf8'));
  const hashes = new Map<string, string>();
  const hashOf = (file: URL): string => {
    const known = hashes.get(file.href);
    if (known !== undefined) return known;
    const found = hashSource(readFileSync(file, 'utf8'), specifier =>
      specifier.startsWith('.')
        ? hashOf(new URL(specifier, file))
        : `${specifier} ${dependencies[specifier]}`,
    );
    hashes.set(file.href, found);
    return found;
  };
  // The first two bytes of a serialized value name the version of the format.
  const format = serialize(null).subarray(0, 2);
  return hash([
    ...entryFiles.map(file => hashOf(new URL(file, import.meta.url))),
    format.toString('hex'),
  ]);
}

/**
 * Hashes TypeScript source without its comments, white space and trailing commas. The path of an
 * import is replaced by what `identify` returns for it, so that a file may move without a change of
 * the hash. The order of imports does not matter.
 */
export function hashSource(source: string, identify: (specifier: string) => string): string {
  const imports: string[] = [];
  const code = withoutCommentsAndBlanks(source).replaceAll(
    importStatement,
    (_, names, specifier) => {
      imports.push(`${importedNames(names)} ${identify(specifier)}`);
      return '';
    },
  );
  return hash([code, ...imports.sort()]);
}

function withoutCommentsAndBlanks(source: string): string {
  const isCode = ({ type }: { type: string }) => !/Comment|WhiteSpace|LineTerminator/.test(type);
  return Array.from(jsTokens(source))
    .filter(isCode)
    .map(({ value }) => value)
    .join(' ')
    .replaceAll(trailingComma, ' $1');
}

/** @example importedNames('{ b , type C , a , }') // 'a,b' */
function importedNames(clause: string): string {
  const names = clause.replaceAll(/[{}]/g, ' ').split(',');
  return names
    .map(name => name.trim())
    .filter(name => name !== '' && !name.startsWith('type '))
    .sort()
    .join();
}

function hash(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
}
