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
