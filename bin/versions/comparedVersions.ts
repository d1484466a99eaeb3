import type { VersionRow } from './versionQueries.ts';

/** A property of two versions. */
export interface ComparedProperty {
  property: string;
  first: string | null;
  second: string | null;
}

const texts = [
  'state',
  'since',
  'judgedAt',
  'championVersion',
  'causeType',
  'driftCause',
  'trainer',
  'datasetId',
  'datasetFrom',
  'datasetTo',
  'artifactChecksum',
] as const satisfies (keyof VersionRow)[];

/**
 * Compares two versions: where they stand, what they were trained on, and their figures on their
 * gate rows. Features are named where only one of them has them.
 */
export function comparedVersions(first: VersionRow, second: VersionRow): ComparedProperty[] {
  const metrics = new Set([...Object.keys(first.metrics), ...Object.keys(second.metrics)]);
  return [
    ...texts.map(name => ({ property: name, first: first[name], second: second[name] })),
    { property: 'datasetRows', first: text(first.datasetRows), second: text(second.datasetRows) },
    {
      property: 'other features',
      first: onlyIn(first.features, second.features),
      second: onlyIn(second.features, first.features),
    },
    ...[...metrics].sort().map(name => ({
      property: name,
      first: text(first.metrics[name]),
      second: text(second.metrics[name]),
    })),
  ];
}

/** Says whether the figures of two versions can be compared with each other. */
export function figuresNote(first: VersionRow, second: VersionRow): string {
  return first.datasetId !== null && first.datasetId === second.datasetId
    ? 'Both were judged on the same rows.'
    : 'They were judged on different rows, so their figures show less than the comparison of each with its champion.';
}

function onlyIn(features: readonly string[], others: readonly string[]): string | null {
  const only = features.filter(feature => !others.includes(feature));
  return only.length > 0 ? only.join(', ') : null;
}

function text(value: number | null | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}
