import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type FeatureProfile,
  mergeFeatureProfiles,
} from '../../../../services/shared/profile/featureProfile.ts';
import { fromProfileRow, toProfileRow } from '../../../../services/shared/profile/profileRow.ts';
import {
  referenceParts,
  referenceProfiles,
} from '../../../../services/shared/profile/referenceProfiles.ts';
import { profileOf, rowWithoutSums } from './profileOf.ts';

const value = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.string({ maxLength: 3 }),
  fc.boolean(),
  fc.constant(null),
);
const values = fc.array(value, { minLength: 1, maxLength: 1500, size: 'max' });
const row = rowWithoutSums;

/**
 * Splits values into parts, and merges these two by two in any order until one is left. Some merged
 * parts are stored as rows and loaded again; `choices` decides.
 */
function merged(
  all: Parameters<typeof profileOf>[0],
  cuts: readonly number[],
  choices: readonly number[],
): FeatureProfile {
  const edges = [0, ...cuts.map(cut => cut % (all.length + 1)), all.length].sort((a, b) => a - b);
  let parts = edges.slice(1).map((end, index) => profileOf(all.slice(edges[index], end)));
  for (let step = 0; parts.length > 1; step++) {
    const choice = choices[step % choices.length]!;
    const [left] = parts.splice(choice % parts.length, 1);
    const [right] = parts.splice((choice >> 8) % parts.length, 1);
    const both = mergeFeatureProfiles(left!, right!);
    parts = [
      ...parts,
      choice % 2 ? fromProfileRow(JSON.parse(JSON.stringify(toProfileRow(both)))) : both,
    ];
  }
  return parts[0]!;
}

it('makes the same profile in one pass and by any tree of merges, with rows stored and loaded in between', () => {
  fc.assert(
    fc.property(
      values,
      fc.array(fc.nat(), { maxLength: 12 }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 12 }),
      (all, cuts, choices) => {
        expect(row(merged(all, cuts, choices))).toEqual(row(profileOf(all)));
      },
    ),
  );
});

it('cuts a reference into parts that hold every record once, in order, and add up to the whole', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(30), { minLength: 1, maxLength: 1500, size: 'max' }),
      fc.integer({ min: 1, max: 5000 }),
      (steps, windowSizeMs) => {
        let timeMs = 0;
        const records = steps.map((step, index) => {
          timeMs += step;
          return { eventTimeMs: timeMs, features: { x: index % 7 === 0 ? null : index % 50 } };
        });
        const eventTimes = records.map(({ eventTimeMs }) => eventTimeMs);
        const parts = referenceParts(eventTimes, windowSizeMs);
        expect(parts[0]!.start).toBe(0);
        expect(parts.at(-1)!.end).toBe(records.length);
        for (const [index, part] of parts.entries()) {
          expect(part.end).toBeGreaterThan(part.start);
          if (index > 0) expect(part.start).toBe(parts[index - 1]!.end);
        }
        expect(parts.length).toBeLessThanOrEqual(101);
        const { rows } = referenceProfiles(records, windowSizeMs);
        const whole = mergeFeatureProfiles(...rows.map(fromProfileRow));
        expect(toProfileRow(whole)).toEqual(
          toProfileRow(profileOf(records.map(({ features }) => features.x))),
        );
      },
    ),
    { numRuns: 50 },
  );
});
