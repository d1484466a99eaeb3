import { describe, expect, it } from 'vitest';
import { withEvidence } from '../../../services/detector/events/driftEpisode.ts';
import type { DatedEvidence, Episode } from '../../../services/detector/events/episode.ts';
import { begunHarm } from '../../../services/detector/events/harm.ts';

function evidenceOf(family: string, features: readonly string[], large = false): DatedEvidence {
  return {
    family,
    scale: 1,
    feature: features[0] ?? null,
    metric: 'likelihood_ratio',
    value: 50,
    threshold: 40,
    pValue: 1e-9,
    logPValue: Math.log(1e-9),
    records: 200,
    referenceRecords: 1000,
    large,
    contributions: Object.fromEntries(features.map(name => [name, 1 / features.length])),
    predictionContributions: {},
    values: [],
    summary: `${features.join(', ')} changed`,
    numbers: '',
    windowStartMs: 0,
  };
}

function episodeOf(...evidence: DatedEvidence[]): Episode {
  return {
    windowStartMs: 0,
    windowEndMs: 1,
    reference: 'bootstrap',
    newCodeVersions: [],
    evidence,
    renewals: 0,
    mostlyIn: null,
    openUntilMs: 0,
    differs: true,
    harm: begunHarm(null, null),
    persistingSinceMs: null,
    told: null,
  };
}

const featuresOf = ({ evidence }: Episode) =>
  evidence.flatMap(({ contributions }) => Object.keys(contributions));

describe('withEvidence', () => {
  const one = episodeOf(evidenceOf('features', ['a']));

  it('takes evidence that names all known features and another one', () => {
    expect(featuresOf(withEvidence(one, [evidenceOf('features', ['a', 'b'])]))).toEqual(['a', 'b']);
  });

  it('returns the same object for evidence that lacks one of the known features', () => {
    const two = episodeOf(evidenceOf('features', ['a', 'b']));
    expect(withEvidence(two, [evidenceOf('features', ['b'])])).toBe(two);
    expect(withEvidence(one, [evidenceOf('features', ['b'])])).toBe(one);
    expect(withEvidence(one, [])).toBe(one);
  });

  it('keeps a large change large when it spreads to more features', () => {
    const large = episodeOf(evidenceOf('features', ['a'], true));
    const grown = withEvidence(large, [evidenceOf('features', ['a', 'b'])]);
    expect(grown.evidence).toMatchObject([{ large: true, contributions: { a: 0.5, b: 0.5 } }]);
    expect(withEvidence(one, [evidenceOf('features', ['a'], true)]).evidence).toMatchObject([
      { large: true },
    ]);
  });

  it('takes evidence of another broken feature although the first was repaired', () => {
    const broken = episodeOf(evidenceOf('data_quality', ['a']));
    expect(featuresOf(withEvidence(broken, [evidenceOf('data_quality', ['b'])]))).toEqual(['b']);
  });

  it('keeps the evidence of other families', () => {
    const both = withEvidence(one, [evidenceOf('error', [])]);
    expect(both.evidence.map(({ family }) => family)).toEqual(['features', 'error']);
  });
});
