import { ArtifactStoreError } from '../../shared/artifacts/artifactStore.ts';

/** Error codes of a file system that is full, broken, forbidden, or not what is expected. */
const fileSystemErrors = new Set([
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EACCES',
  'EPERM',
  'EIO',
  'ENOENT',
  'ENOTDIR',
  'EEXIST',
  'EISDIR',
  'ENAMETOOLONG',
  'EMFILE',
]);

/**
 * Returns the reason to publish if an error comes from the store of the artifacts, and null for any
 * other error. An error of the store fails the run, but the service goes on.
 */
export function artifactFailure(error: unknown): string | null {
  if (error instanceof ArtifactStoreError)
    return `The store of artifacts cannot be used (DRIFTLOOP_ARTIFACTS): ${error.message}`;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined || !fileSystemErrors.has(code)) return null;
  return `The folder of artifacts cannot be used (DRIFTLOOP_ARTIFACTS): ${message}`;
}
