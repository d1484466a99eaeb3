import type { ModelAlias } from '../../shared/contracts.ts';
import { deterministicId } from '../../shared/deterministicId.ts';

export type AliasName = ModelAlias['alias'];

export const aliasNames: readonly AliasName[] = ['champion', 'challenger', 'previous'];

/** Keys of the tags that Driftloop writes in MLflow. */
export const tags = {
  model: 'driftloop.model',
  version: 'driftloop.version',
  run: 'driftloop.run',
  files: 'driftloop.files',
  /** Number of the version that Driftloop has let an alias name last, or `noVersion`. */
  written: (alias: AliasName) => `driftloop.${alias}`,
  /** The request that a person's move of an alias has become: id and number of the version. */
  request: (alias: AliasName) => `driftloop.${alias}.request`,
  /** Why such a move was refused. */
  refused: (alias: AliasName) => `driftloop.${alias}.refused`,
};

/** Stands in tags for the version that an alias without a version names. */
export const noVersion = 'none';

const maxReadableCharacters = 200;

/**
 * Returns the name of a model's registered model. MLflow refuses slashes, colons, and names that are
 * paths. Quotes would end a name in its searches.
 * @example registeredName('fraud/eu') // 'fraud%2Feu'
 */
export function registeredName(model: string): string {
  const name = model.replace(/[%/:\\'"`]|^\s+$|^\.+$/g, encoded);
  return name.length <= maxReadableCharacters
    ? name
    : `${name.slice(0, maxReadableCharacters)}-${deterministicId(model)}`;
}

function encoded(text: string): string {
  return Array.from(
    text,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}

/** Returns the name of the experiment that has the trainings of a model. */
export function experimentName(model: string): string {
  return `driftloop/${registeredName(model)}`;
}
