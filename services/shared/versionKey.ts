/** Names a model version. */
export interface VersionName {
  model: string;
  version: string;
}

/** A map's key for a model version; names may hold any character. */
export function versionKey({ model, version }: VersionName): string {
  return JSON.stringify([model, version]);
}
