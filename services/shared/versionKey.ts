/** Names a model version. */
export interface VersionName {
  model: string;
  version: string;
}

/** A map's key for a model version, of which every record needs one; names may hold any character. */
export function versionKey({ model, version }: VersionName): string {
  return `${model.length}:${model}${version}`;
}
