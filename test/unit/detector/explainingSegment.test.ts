import { describe, expect, it } from 'vitest';
import type { DriftEventContent } from '../../../services/detector/events/driftEpisode.ts';
import { headlineOf } from '../../../services/detector/events/explanation.ts';
import { begunFold, foldVersionWindow } from '../../../services/detector/fold/versionFold.ts';
import {
  context,
  observationOf,
  type Randomness,
  randomness,
  type SyntheticRecord,
} from './syntheticStream.ts';

const onset = 60;
const recordsOf = { DE: 300, FR: 250, LU: 60 };

type Changed = (record: SyntheticRecord, country: string, random: Randomness) => SyntheticRecord;

/** Returns the last content of each event, by segment, of a stream that changes after 60 windows. */
function eventsOf(changed: Changed): Map<string, DriftEventContent[]> {
  let fold = begunFold({ model: 'm', version: '1' });
  const random = randomness(3);
  const events = new Map<string, DriftEventContent>();
  for (let window = 0; window < onset + 12; window++) {
    const ofSegments = Object.entries(recordsOf).map(([country, count]) => {
      const records = Array.from({ length: count }, () => {
        const label = random.uniform() < 0.4 ? 'yes' : 'no';
        const wrong = label === 'yes' ? 'no' : 'yes';
        const record: SyntheticRecord = {
          features: { amount: random.normal(), age: random.normal() },
          prediction: random.uniform() < 0.15 ? wrong : label,
          label,
        };
        return window < onset ? record : changed(record, country, random);
      });
      return [country, records] as const;
    });
    const whole = observationOf(
      window,
      ofSegments.flatMap(([, records]) => records),
    );
    const segments = new Map([
      ['', whole],
      ...ofSegments.map(
        ([country, records]) => [`country=${country}`, observationOf(window, records)] as const,
      ),
    ]);
    const next = foldVersionWindow(fold, whole.startMs, segments, {
      detection: context.detection,
      withMetrics: false,
    });
    fold = next.fold;
    for (const { verdict } of next.folded)
      for (const change of verdict.changes) events.set(change.id, change);
  }
  return Map.groupBy(events.values(), ({ segment }) => segment);
}

const missing = ({ features, ...record }: SyntheticRecord): SyntheticRecord => ({
  ...record,
  features: { ...features, amount: null },
});

describe('an event of all predictions', { timeout: 60_000 }, () => {
  it('names the segment in which an input is missing', () => {
    const events = eventsOf((record, country) => (country === 'LU' ? missing(record) : record));
    expect([...events.keys()].sort()).toEqual(['', 'country=LU']);
    expect(headlineOf(events.get('')![0]!.explanation)).toMatch(
      /^amount is missing in [\d.]+ % of the records, up from 0 %, mostly in country=LU$/,
    );
    expect(events.get('country=LU')![0]!.explanation).not.toContain('mostly in');
  });

  it('names the segment that is answered wrongly', () => {
    const events = eventsOf((record, country, { uniform }) => {
      if (country !== 'LU' || uniform() < 0.1) return record;
      return { ...record, prediction: record.label === 'yes' ? 'no' : 'yes' };
    });
    expect(events.get('')![0]).toMatchObject({ cause: 'concept_drift' });
    expect(events.get('')![0]!.explanation).toMatch(
      /^The error rate rose .*, mostly in country=LU/,
    );
  });

  it('names none where all of them changed', () => {
    const events = eventsOf((record, _, { uniform }) =>
      uniform() < 0.3 ? missing(record) : record,
    );
    expect(events.size).toBeGreaterThan(2);
    expect(events.get('')![0]!.explanation).not.toContain('mostly in');
  });
});
