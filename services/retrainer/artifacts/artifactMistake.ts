import type { RepeatRequest } from '../../shared/artifacts/artifactStore.ts';
import { artifactDifference } from '../../shared/artifacts/readArtifact.ts';
import { artifactFailure } from './artifactFailure.ts';

/**
 * Says in one sentence why the artifact of a version cannot be served, or returns null if it is the
 * one that was published.
 */
export async function artifactMistake(
  {
    version,
    artifactUri,
    artifactChecksum,
  }: { version: string; artifactUri: string; artifactChecksum: string },
  repeat: RepeatRequest | undefined,
): Promise<string | null> {
  const named = `The artifact of version ${version}, ${artifactUri},`;
  try {
    const difference = await artifactDifference(artifactUri, artifactChecksum, repeat);
    return difference && `${named} has changed since it was published: ${difference}.`;
  } catch (error) {
    if (artifactFailure(error) === null) throw error;
    return `${named} cannot be read: ${(error as Error).message}.`;
  }
}
