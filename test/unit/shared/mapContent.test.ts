import { describe, expect, it } from 'vitest';
import type { InputMapping } from '../../../services/shared/config/inputs.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';
import { decodeMapped } from '../../../services/shared/records/decodeRecord.ts';
import { mapContent } from '../../../services/shared/records/mapContent.ts';
import { asWritten } from './contractArbitrary.ts';

const prediction = (fields: InputMapping['fields'], rows?: string): InputMapping => ({
  kind: 'prediction',
  fields,
  ...(rows !== undefined && { rows }),
});

function decoded(content: object | string, mapping: InputMapping) {
  const value = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  const common = { topic: 't', partition: 0, offset: 0, key: null, headers: {}, timestampMs: 0 };
  const { value: values, rejection } = decodeMapped(
    { ...common, value },
    'Prediction',
    { resolver: () => null },
    mapping,
  );
  return { values: values?.map(asWritten), rejection };
}

describe('a mapping', () => {
  it('finds fields by places, takes constants, and reads the others under their names', () => {
    const mapping = prediction({
      id: 'request.uuid',
      model: { constant: 'churn' },
      version: 'meta.version',
      time: 'ts',
      features: 'inputs.*',
      prediction: 'output.0.label',
      probabilities: { leaves: 'output.0.p', stays: 'output.1.p' },
      segment: ['request.country'],
      weight: 'meta.copies',
      samplingRate: { constant: 0.25 },
      quantiles: { '0.1': 'output.0.low', '0.9': 'output.0.high' },
      ranking: 'output.0.best',
    });
    const content =
      '{"request":{"uuid":9007199254740993,"country":"DE"},"meta":{"version":3,"copies":2},"ts":1767225600,' +
      '"inputs":{"age":41,"plan":{"name":"basic"}},"output":[{"label":"leaves","p":0.7,"low":-1.5,"high":4,"best":["leaves",2]},{"p":0.3}],' +
      '"score":0.7,"latency_ms":4,"weight":80,"ranking":3,"shadow":"of a tree"}';
    expect(decoded(content, mapping).values).toEqual([
      {
        id: '9007199254740993',
        model: 'churn',
        version: '3',
        time: Date.UTC(2026, 0, 1),
        features: { age: 41, 'plan.name': 'basic' },
        prediction: 'leaves',
        score: 0.7,
        probabilities: { leaves: 0.7, stays: 0.3 },
        segment: { country: 'DE' },
        codeVersion: null,
        latencyMs: 4,
        weight: 2,
        samplingRate: 0.25,
        quantiles: { '0.1': -1.5, '0.9': 4 },
        ranking: ['leaves', '2'],
        shadow: null,
      },
    ]);
  });

  it('reads one prediction per row, from the row, the record, or the list of outputs', () => {
    const mapping = prediction(
      { features: '*', prediction: 'outputs.#.label', model: { constant: 'm' } },
      'instances',
    );
    const content = {
      id: 'a',
      version: 1,
      time: 1_767_225_600,
      instances: [{ age: 1 }, { age: 2 }],
      outputs: [{ label: 'x' }, { label: 'y' }],
    };
    const { values } = decoded(content, mapping);
    expect(values).toMatchObject([
      { id: 'a-0', features: { age: 1 }, prediction: 'x', version: '1' },
      { id: 'a-1', features: { age: 2 }, prediction: 'y', version: '1' },
    ]);
    const withIds = {
      ...content,
      instances: [
        { id: 'r1', age: 1 },
        { id: 'r2', age: 2 },
      ],
    };
    expect(decoded(withIds, mapping).values).toMatchObject([{ id: 'r1' }, { id: 'r2' }]);
    const own = prediction({ ...mapping.fields, id: 'ids.#' }, 'instances');
    expect(decoded({ ...content, ids: ['p', 'q'] }, own).values).toMatchObject([
      { id: 'p' },
      { id: 'q' },
    ]);
  });

  it('reads the weight of a record only where it says so, because things have weights', () => {
    const content = { id: 'a', model: 'm', version: '1', time: 1_767_225_600, prediction: 1 };
    const kilograms = { ...content, weight: 80 };
    expect(decoded(kilograms, prediction({ features: '*' })).values).toMatchObject([
      { weight: null, features: { weight: 80 } },
    ]);
    const features = { constant: 1 };
    const named = prediction({ weight: 'weight', features: { features } });
    expect(decoded(kilograms, named).values).toMatchObject([{ weight: 80 }]);
  });

  it('takes all other fields at the top as features, and names with dots as they are', () => {
    expect(
      mapContent(
        { 'request.uuid': 'a', 'request.age': 41, out: 1, plan: 'basic' },
        prediction({ id: 'request.uuid', prediction: 'out', features: '*' }),
      ),
    ).toMatchObject([{ id: 'a', prediction: 1, features: { plan: 'basic' } }]);
    const renamed = prediction({ features: { age: 'request.age', kind: { constant: 'x' } } });
    expect(mapContent({ 'request.age': 41 }, renamed)).toMatchObject([
      { features: { age: 41, kind: 'x' } },
    ]);
  });

  it.each([
    ['a field that is not there', { ts: 1 }, 'id: is missing (read from request.uuid)'],
    ['a list', [1], 'expected an object that is mapped to prediction, got no object'],
  ])('names the place in what it rejects: %s', (_, content, message) => {
    const { rejection } = decoded(content, prediction({ id: 'request.uuid' }));
    expect(rejection).toMatchObject({ class: 'invalid-field', message });
  });

  it.each([
    ['no list', { rows: 1 }, 'rows: expected a list with one prediction each'],
    ['no entry', { rows: [] }, 'rows: the list is empty'],
    [
      'too many entries',
      { rows: Array.from({ length: 10_001 }, () => ({})) },
      'rows: the list has 10001 entries, at most 10000 are read',
    ],
    [
      'an entry that is wrong',
      {
        model: 'm',
        version: '1',
        time: 1_767_225_600,
        features: {},
        rows: [
          { id: 'a', prediction: 1 },
          { id: 'b', prediction: [] },
        ],
      },
      'row 1: prediction: expected boolean or a number or text, got []',
    ],
  ])('refuses the whole record for its rows: %s', (_, content, message) => {
    expect(decoded(content, prediction({}, 'rows')).rejection).toMatchObject({ message });
  });
});

describe('the setting inputs', () => {
  it('is read from YAML', () => {
    const { inputs } = parseSettings(
      `
inputs:
  - topic: shop-scores
    kind: prediction
    rows: instances
    fields: { id: request.uuid, features: inputs.*, model: { constant: churn } }
  - topic: shop-outcomes
    kind: feedback
`,
      's.yaml',
    );
    expect(inputs).toEqual([
      {
        topic: 'shop-scores',
        kind: 'prediction',
        rows: 'instances',
        fields: { id: 'request.uuid', features: 'inputs.*', model: { constant: 'churn' } },
      },
      { topic: 'shop-outcomes', kind: 'feedback', fields: {} },
    ]);
    expect(parseSettings('', 's.yaml').inputs).toEqual([]);
  });

  it('lists every mistake with its line and its path', () => {
    const text = `
inputs:
  - topic: 'shop scores'
    kind: prediction
    fields: { id: [], prize: a, label: b, time: { constant: [] } }
  - topic: a
    kind: event
  - topic: b
    kind: feedback
    rows: a..b
  - topic: b
    kind: feedback
`;
    const message = (() => {
      try {
        return parseSettings(text, 's.yaml').inputs;
      } catch (error) {
        return (error as Error).message.split('\n');
      }
    })();
    expect(message).toHaveLength(7);
    expect(message).toEqual(
      expect.arrayContaining([
        's.yaml:3: inputs.0.topic: expected the full name of a topic (got "shop scores")',
        expect.stringMatching(
          /^s.yaml:5: inputs.0.fields.id: expected a place such as request.uuid/,
        ),
        expect.stringMatching(/^s.yaml:5: inputs.0.fields.time: expected a place/),
        expect.stringMatching(/^s.yaml:5: inputs.0.fields.prize: is not a setting/),
        expect.stringMatching(/^s.yaml:5: inputs.0.fields.label: is not a setting/),
        's.yaml:7: inputs.1.kind: expected kind: prediction or kind: feedback (got "event")',
        expect.stringMatching(/^s.yaml:10: inputs.2.rows: expected names with dots between them/),
      ]),
    );
    const twice = 'inputs:\n- {topic: b, kind: feedback}\n- {topic: b, kind: feedback}\n';
    expect(() => parseSettings(twice, 's.yaml')).toThrow(
      's.yaml:3: inputs.1.topic: is the topic of entry 0 as well; one entry says how it is read (got "b")',
    );
  });
});
