import { ArtifactStoreError } from '../../services/shared/artifacts/artifactStore.ts';
import { isTransientS3Error } from '../../services/shared/artifacts/s3ArtifactStore.ts';
import { UserError } from '../../services/shared/userError.ts';

/** Turns errors of a store of artifacts into one line. */
export async function withArtifactMistakes<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { message, syscall } = error as NodeJS.ErrnoException;
    if (error instanceof ArtifactStoreError) throw new UserError(message, { cause: error });
    if (syscall !== undefined || isTransientS3Error(error))
      throw new UserError(`the store of artifacts cannot be used: ${message}`, { cause: error });
    throw error;
  }
}
