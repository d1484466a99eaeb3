/** Names a model version. */
export interface VersionName {
  model: string;
  version: string;
}

/**
 * Returns a map's key for a model version. Names may hold any character; every record needs a key,
 * so it must be cheap.
 */
export function versionKey({ model, version }: VersionName): string {
  return `${model.length}:${model}${version}`;
}

/**
 * Returns model:version as other programs see it, in keys of topics. No two versions have the same,
 * because a colon in the name of the model is written as %3A, and a percent sign as %25.
 */
export function publishedVersionKey({ model, version }: VersionName): string {
  return `${model.replaceAll('%', '%25').replaceAll(':', '%3A')}:${version}`;
}
