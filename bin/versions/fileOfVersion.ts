import { locateArtifact } from '../../services/shared/artifacts/openArtifactStore.ts';
import { UserError } from '../../services/shared/userError.ts';

/**
 * Reads a text that is kept beside the files of a version.
 * @throws UserError if there is none, as for versions that earlier releases made
 */
export async function readFileOfVersion(
  { model, version, artifactUri }: { model: string; version: string; artifactUri: string },
  name: string,
): Promise<string> {
  const { store } = locateArtifact(artifactUri);
  const content = await store.read(name);
  if (content !== null) return content.toString('utf8');
  throw new UserError(
    `version ${version} of ${model} has no ${name} beside ${artifactUri}: it was made by an earlier release, or the file was removed`,
  );
}
