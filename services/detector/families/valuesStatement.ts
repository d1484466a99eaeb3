import type { FeatureBins } from '../../shared/bins/featureBins.ts';
import type { ChangedValue } from '../../shared/contracts.ts';
import { percent, quoted } from './evidence.ts';

/** If named values have less than this part of what is new, there are others. */
const minNamedPart = 0.9;

interface About {
  /** The feature or output; null where the sentence names it already. */
  name: string | null;
  /** What shares are of. */
  unit: 'records' | 'labels';
  /** Share of all values that are new, with or without names. */
  newShare: number;
  /** How a value is written: a category is quoted, a number is not. */
  nameOf(value: string): string;
}

/**
 * Says which values of a variable are new, and which are gone.
 *
 * @returns an empty text if there are none
 * @example
 * // '"Italy" is new in country (17.8 % of the records), "IT" is gone (18.1 % before): perhaps renamed'
 */
export function valuesStatement(values: readonly ChangedValue[], about: About): string {
  const arrived = values.filter(isNew);
  const lost = values.filter(value => !isNew(value));
  const where = arrived.length === 0 && about.name !== null ? ` from ${about.name}` : '';
  const parts = [
    ...(arrived.length > 0 ? [newStatement(arrived, about)] : []),
    ...lost.map(value => lostStatement(value, where, about)),
  ];
  return `${parts.join(', ')}${renamingStatement(values, about)}`;
}

function isNew({ share, referenceShare }: ChangedValue): boolean {
  return share > referenceShare;
}

function newStatement(
  arrived: readonly ChangedValue[],
  { name, unit, newShare, nameOf }: About,
): string {
  const where = name === null ? '' : ` in ${name}`;
  const named = arrived.reduce((total, { share }) => total + share, 0);
  const [first] = arrived;
  if (named < minNamedPart * newShare) {
    const names = arrived.map(({ value, share }) => `${nameOf(value)} (${percent(share)})`);
    return `${listed([...names, 'others'])} are new${where} (${percent(newShare)} of the ${unit} together)`;
  }
  if (arrived.length === 1) {
    const before = first!.referenceShare > 0 ? `, ${percent(first!.referenceShare)} before` : '';
    return `${nameOf(first!.value)} is new${where} (${percent(first!.share)} of the ${unit}${before})`;
  }
  const names = arrived.map(({ value, share }) => `${nameOf(value)} (${percent(share)})`);
  return `${listed(names)} are new${where}`;
}

function lostStatement(
  { value, share, referenceShare }: ChangedValue,
  where: string,
  { nameOf }: About,
): string {
  return share === 0
    ? `${nameOf(value)} is gone${where} (${percent(referenceShare)} before)`
    : `${nameOf(value)} fell from ${percent(referenceShare)} to ${percent(share)}`;
}

function renamingStatement(values: readonly ChangedValue[], { nameOf }: About): string {
  const renamed = values.filter(({ renamedFrom }) => renamedFrom !== null);
  if (renamed.length === 0) return '';
  if (renamed.length === 1 && values.length === 2) return ': perhaps renamed';
  const pairs = renamed.map(
    ({ value, renamedFrom }) => `${nameOf(renamedFrom!)} is now ${nameOf(value)}`,
  );
  return `: perhaps ${listed(pairs)}`;
}

/** @example listed(['a', 'b', 'c']) // 'a, b and c' */
function listed(names: readonly string[]): string {
  const last = names.at(-1)!;
  return names.length === 1 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}

/** Writes a value of a variable: a category is quoted, a number is not. */
export function writtenValue(bins: FeatureBins): (value: string) => string {
  return 'keys' in bins ? value => value : quoted;
}
