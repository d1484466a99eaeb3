import { describe, expect, it } from 'vitest';
import { displayBins, quantile } from '../../../bin/report/displayBins.ts';
import {
  addValue,
  emptyFeatureProfile,
  type FeatureValue,
  mergeFeatureProfiles,
} from '../../../services/shared/profile/featureProfile.ts';

function profileOf(values: readonly FeatureValue[]) {
  const profile = emptyFeatureProfile();
  for (const value of values) addValue(profile, value);
  return profile;
}

function binsOf(reference: readonly FeatureValue[], others: readonly FeatureValue[] = []) {
  const profile = profileOf(reference);
  const bins = displayBins(profile, mergeFeatureProfiles(profile, profileOf(others)));
  const shares = (values: readonly FeatureValue[]) =>
    Object.fromEntries(
      bins
        .sharesOf(profileOf(values))
        .flatMap((share, bin) => (share > 0 ? [[bins.labels[bin]!, share] as const] : [])),
    );
  return { ...bins, shares };
}

describe('displayBins', () => {
  it('makes ranges of a round width, with a bin for what lies beyond each end', () => {
    const numbers = Array.from({ length: 1_000 }, (_, index) => index / 10);
    const { labels, shares } = binsOf(numbers, [-500, 1e6]);
    expect(labels).toEqual([
      'below 0',
      ...Array.from({ length: 10 }, (_, bin) => `${bin * 10} to ${bin * 10 + 10}`),
      'from 100',
    ]);
    expect(shares([-500, 15, 15, 1e6])).toEqual({
      'below 0': 0.25,
      '10 to 20': 0.5,
      'from 100': 0.25,
    });
  });

  it('gives single values a bin each where there are few', () => {
    const { labels, shares } = binsOf([3, 4, 5, 5], [9]);
    expect(labels).toEqual(['3', '4', '5', '9']);
    expect(shares([5, 5, 5, 9])).toEqual({ 5: 0.75, 9: 0.25 });
  });

  it('shows missing values, text among numbers and numbers that are not finite, where there are any', () => {
    expect(binsOf([1, 2]).labels).toEqual(['1', '2']);
    const { labels, shares } = binsOf([1, 2, null], ['x', Number.NaN]);
    expect(labels).toEqual(['1', '2', 'text', 'not finite', 'missing']);
    expect(shares([1, 'x', Number.NaN, null])).toEqual({
      1: 0.25,
      text: 0.25,
      'not finite': 0.25,
      missing: 0.25,
    });
  });

  it('tells rare categories from new ones', () => {
    const reference = Array.from({ length: 13 }, (_, index) =>
      Array(index + 2).fill(String.fromCharCode(97 + index)),
    ).flat();
    const { labels, shares } = binsOf(reference, [...Array(20).fill('z'), 'y']);
    expect(labels).toEqual([
      'z (new)',
      ...['m', 'l', 'k', 'j', 'i', 'h', 'g', 'f', 'e', 'd', 'c'],
      'others',
      'others (new)',
    ]);
    expect(shares(['a', 'y', 'z', 'm'])).toEqual({
      others: 0.25,
      'others (new)': 0.25,
      'z (new)': 0.25,
      m: 0.25,
    });
  });

  it('has no bin for other categories where there are none', () => {
    expect(binsOf(['a', 'b', 'b']).labels).toEqual(['b', 'a']);
    expect(binsOf(['a'], ['c']).labels).toEqual(['a', 'c (new)']);
  });

  it('shows a constant, and a feature of which a window has nothing', () => {
    const { labels, sharesOf } = binsOf([7, 7]);
    expect(labels).toEqual(['7']);
    expect(sharesOf(emptyFeatureProfile())).toEqual([0]);
  });
});

describe('quantile', () => {
  it('is the value below which a share of the numbers lies', () => {
    const { numeric } = profileOf([5, 1, 2, 3, 4]);
    expect([0.2, 0.5, 1].map(share => quantile(numeric, share))).toEqual([1, 3, 5]);
  });
});
