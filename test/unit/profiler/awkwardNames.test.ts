import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countPrediction } from '../../../services/profiler/counting/profiler.ts';
import { emptyTally } from '../../../services/profiler/counting/tally.ts';
import { newVersionState } from '../../../services/profiler/counting/versionState.ts';
import { contractType } from '../../../services/shared/avro/schemaRegistry.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';
import { type Prediction, predictionDefaults } from '../../../services/shared/contracts.ts';
import { fromProfileRow, toProfileRow } from '../../../services/shared/profile/profileRow.ts';
import { decodeRecord } from '../../../services/shared/records/decodeRecord.ts';
import { contractArbitrary, mapOf, text } from '../shared/contractArbitrary.ts';
import { profileOf } from '../shared/profile/profileOf.ts';
import { type WindowRow, windowRows } from './windowRows.ts';

const type = contractType('Prediction');
const schemas = { resolver: () => ({ type, resolver: type.createResolver(type) }) };
const segments = ['__proto__', 'constructor', 'toString'];
const settings = { ...parseSettings('', 'test').of('m'), segments };

it('stores features, segments and models with any name under exactly that name, from JSON and from Avro', () => {
  const value = fc.oneof(fc.constant(null), fc.boolean(), text, fc.integer());
  const prediction = fc
    .tuple(contractArbitrary<Prediction>('Prediction'), mapOf(value), fc.option(mapOf(text)))
    .map(([drawn, features, segment]): Prediction => {
      return {
        ...drawn,
        ...predictionDefaults,
        codeVersion: drawn.codeVersion,
        features,
        segment,
        prediction: 'yes',
        time: 0,
      };
    });
  fc.assert(
    fc.property(prediction, fc.boolean(), (sent, asJson) => {
      const bytes = asJson
        ? Buffer.from(JSON.stringify(sent))
        : Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), type.toBuffer(sent)]);
      const record = {
        topic: 't',
        partition: 0,
        offset: 0,
        key: null,
        value: bytes,
        headers: {},
        timestampMs: 0,
      };
      const decoded = decodeRecord(record, 'Prediction', schemas).value!;
      const state = newVersionState(decoded.model, decoded.version, settings);
      countPrediction(state, { prediction: decoded, offset: 0 }, emptyTally());
      const stored = [...state.windows.values()].flatMap(window => windowRows(state, window));
      const rows: WindowRow[] = JSON.parse(JSON.stringify(stored));
      const expected = [
        '',
        ...segments.filter(name => sent.segment && Object.hasOwn(sent.segment, name)),
      ].map(name => (name === '' ? '' : `${name}=${sent.segment![name]}`));
      expect([...new Set(rows.map(row => row.segment))].sort()).toEqual(expected.sort());
      for (const segment of expected) {
        const features = rows.filter(row => row.segment === segment && row.kind === 'feature');
        expect(features.map(row => row.feature).sort()).toEqual(Object.keys(sent.features).sort());
        for (const row of features) {
          expect(row.model).toBe(sent.model);
          const profile = toProfileRow(
            profileOf([Object.entries(sent.features).find(([name]) => name === row.feature)![1]]),
          );
          expect(toProfileRow(fromProfileRow(row))).toEqual(profile);
        }
      }
      expect(Object.keys(Object.prototype)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
