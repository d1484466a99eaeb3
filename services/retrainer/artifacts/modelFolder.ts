import { join } from 'node:path';
import { deterministicId } from '../../shared/deterministicId.ts';

const maxReadableCharacters = 100;

/**
 * Returns the folder of a model's datasets, runs and versions. Every model has its own, inside the
 * folder of artifacts, with a name that every file system accepts.
 * @example modelFolder('/a', 'fraud/eu') // '/a/fraud%2Feu'
 */
export function modelFolder(artifactsFolder: string, model: string): string {
  return join(artifactsFolder, safeName(model));
}

/** Returns a name for a file that every file system accepts. Different names stay different. */
export function safeName(name: string): string {
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /[.*!'()~]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return encoded.length <= maxReadableCharacters
    ? encoded
    : `${encoded.slice(0, maxReadableCharacters)}-${deterministicId(name)}`;
}
