import { join } from 'node:path';
import { deterministicId } from '../../shared/deterministicId.ts';

const longestReadableName = 100;

/**
 * Folder of a model's datasets, runs and versions. Any name of a model gives a name of its own that every file system takes and that
 * stays inside the folder of artifacts.
 * @example modelFolder('/a', 'fraud/eu') // '/a/fraud%2Feu'
 */
export function modelFolder(artifactsFolder: string, model: string): string {
  return join(artifactsFolder, safeName(model));
}

export function safeName(name: string): string {
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /[.*!'()~]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return encoded.length <= longestReadableName
    ? encoded
    : `${encoded.slice(0, longestReadableName)}-${deterministicId(name)}`;
}
