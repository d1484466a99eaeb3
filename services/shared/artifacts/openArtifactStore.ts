import { basename, dirname, resolve } from 'node:path';
import { dirname as firstParts, basename as lastPart } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import { UserError } from '../userError.ts';
import type { ArtifactStore, RepeatRequest } from './artifactStore.ts';
import { fileArtifactStore } from './fileArtifactStore.ts';
import { s3ArtifactStore } from './s3ArtifactStore.ts';

const once: RepeatRequest = request => request();

/**
 * Opens the store at a location.
 * @param location a folder, `file:///folder`, or `s3://bucket/prefix`
 * @throws UserError if it is none of these
 */
export function openArtifactStore(location: string, repeat: RepeatRequest = once): ArtifactStore {
  const folder = localFolder(location);
  if (folder !== null) return fileArtifactStore(folder);
  const [bucket, ...prefix] = location.slice('s3://'.length).replace(/\/+$/, '').split('/');
  return s3ArtifactStore(bucket!, prefix.join('/'), repeat);
}

/** An artifact in a store: a file, or a folder. */
export interface StoredArtifact {
  store: ArtifactStore;
  path: string;
}

/** Opens the store of an artifact, such as that in `ModelVersion.artifactUri`. */
export function locateArtifact(uri: string, repeat: RepeatRequest = once): StoredArtifact {
  const folder = localFolder(uri);
  return folder === null
    ? { store: openArtifactStore(firstParts(uri), repeat), path: lastPart(uri) }
    : { store: fileArtifactStore(dirname(folder)), path: basename(folder) };
}

/**
 * Returns the folder of a location on this machine, or null if it is in a bucket.
 * @throws UserError if it is neither
 */
export function localFolder(location: string): string | null {
  const mistake = locationMistake(location);
  if (mistake !== null) throw new UserError(`${location}: ${mistake}`);
  if (location.startsWith('s3://')) return null;
  return location.startsWith('file:') ? fileURLToPath(location) : resolve(location);
}

/** Says what is wrong with the location of a store, or returns null. */
export function locationMistake(location: string): string | null {
  const expected = 'expected a folder, file:///folder or s3://bucket/prefix';
  if (location.startsWith('file:')) return location.startsWith('file:///') ? null : expected;
  if (location.startsWith('s3:')) return /^s3:\/\/[^/]+/.test(location) ? null : expected;
  return /^[A-Za-z][A-Za-z0-9+.-]+:\/\//.test(location) ? expected : null;
}
