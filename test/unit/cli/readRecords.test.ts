import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRecords } from '../../../bin/replay/readRecords.ts';
import { replayMapping } from '../../../bin/replay/replayMapping.ts';
import { replaySettings } from '../../../bin/replay/replaySettings.ts';
import type { InputKind, InputMapping } from '../../../services/shared/config/inputs.ts';
import { contractValue } from '../../../services/shared/records/contractValue.ts';
import { parseJson } from '../../../services/shared/records/parseJson.ts';
import { asWritten } from '../shared/contractArbitrary.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'driftloop-records-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(
  name: string,
  content: string | Buffer,
  kind: InputKind = 'prediction',
  mapping: InputMapping | null = null,
): Promise<unknown[]> {
  const path = join(folder, name);
  await writeFile(path, content);
  return contentsOf(path, kind, mapping);
}

async function contentsOf(
  path: string,
  kind: InputKind = 'prediction',
  mapping: InputMapping | null = null,
): Promise<unknown[]> {
  const contents: unknown[] = [];
  for await (const lines of readRecords(path, kind, mapping))
    contents.push(...lines.map(line => parseJson(line.toString())));
  return contents;
}

describe('CSV', () => {
  it('has the fields of the contract as columns, and all others are features', async () => {
    const csv =
      '\ufeffid,model,version,time,age,zip,plan,income,prediction,segment.country\r\n' +
      '007,churn,3,2026-01-01 00:00:00+00,41,01234,"basic, old",,1,DE\r\n' +
      '\r\n' +
      '"8",churn,3,1767225600,-4.5e1,00500,"say ""hi""\nthere",12,0.5,AT\r\n';
    const expected = [
      {
        id: '007',
        model: 'churn',
        version: '3',
        time: '2026-01-01 00:00:00+00',
        prediction: 1,
        segment: { country: 'DE' },
        features: { age: 41, zip: '01234', plan: 'basic, old', income: null },
      },
      {
        id: '8',
        model: 'churn',
        version: '3',
        time: '1767225600',
        prediction: 0.5,
        segment: { country: 'AT' },
        features: { age: -45, zip: '00500', plan: 'say "hi"\nthere', income: 12 },
      },
    ];
    expect(await read('p.csv', csv)).toEqual(expected);
    expect(await read('p.csv.gz', gzipSync(csv))).toEqual(expected);
    for (const record of expected)
      expect(contractValue(record, 'Prediction').rejection).toBeUndefined();
  });

  it('may be separated by semicolons, and name its features', async () => {
    expect(
      await read('s.csv', 'id;prediction;time;features.a;note\nx;yes;2026-01-01;1;n\n'),
    ).toEqual([{ id: 'x', prediction: 'yes', time: '2026-01-01', features: { a: 1 } }]);
  });

  it('has the weight of a record only beside named features, because things have weights', async () => {
    const line = '1.5,0.5,x\n';
    expect(await read('t.csv', `weight,samplingRate,prediction\n${line}`)).toEqual([
      { samplingRate: '0.5', prediction: 'x', features: { weight: 1.5 } },
    ]);
    expect(
      await read('n.csv', `weight,sampling_rate,prediction,features.weight\n1.5,0.5,x,80\n`),
    ).toEqual([{ weight: '1.5', sampling_rate: '0.5', prediction: 'x', features: { weight: 80 } }]);
  });

  it('has quantiles by columns, and a ranking only as a list, because things have rankings', async () => {
    expect(
      await read('q.csv', `quantiles.0.1,quantiles.0.9,ranking,prediction\n-2,4.5,3,1\n`),
    ).toEqual([
      { quantiles: { '0.1': '-2', '0.9': '4.5' }, prediction: 1, features: { ranking: 3 } },
    ]);
  });

  it('keeps a row with too many or too few values as a record that is refused', async () => {
    const records = await read(
      'w.csv',
      'id,label,time\na,yes,2026-01-01\nb,no\nc,no,x,y\n',
      'feedback',
    );
    expect(records[0]).toMatchObject({ id: 'a', label: 'yes' });
    expect(
      records.slice(1).map(record => contractValue(record, 'Feedback').rejection?.message),
    ).toEqual(['id: is missing', 'id: is missing']);
  });

  it('says what is wrong with a file', async () => {
    await expect(read('b.csv', 'id,label\n"a,b\n')).rejects.toThrow(/b\.csv: Quote Not Closed/);
    await expect(contentsOf(join(folder, 'none.csv'))).rejects.toThrow('there is no such file');
    await expect(read('b.parquet', 'no')).rejects.toThrow(/b\.parquet: cannot be read as Parquet/);
  });

  it('takes a mapping', async () => {
    const mapping: InputMapping = {
      kind: 'prediction',
      fields: {
        id: 'request.uuid',
        model: { constant: 'm' },
        version: 'release',
        time: 'ts',
        prediction: 'out',
        features: '*',
      },
    };
    expect(
      await read(
        'm.csv',
        'request.uuid,release,ts,out,age\na,2,2026-01-01,1,41\n',
        'prediction',
        mapping,
      ),
    ).toMatchObject([
      {
        id: 'a',
        model: 'm',
        version: '2',
        time: '2026-01-01',
        prediction: 1,
        features: { age: 41 },
      },
    ]);
  });
});

it.each([
  'predictions.parquet',
  'predictions.none.parquet',
  'predictions.gzip.parquet',
  'predictions.zstd.parquet',
  'predictions.brotli.parquet',
  'predictions.lz4.parquet',
])('reads Parquet as pandas writes it: %s', async name => {
  const path = fileURLToPath(new URL(`files/${name}`, import.meta.url));
  const records = await contentsOf(path);
  const values = records.map(record => asWritten(contractValue(record, 'Prediction').value));
  expect(values).toMatchObject(
    [0, 1, 2].map(number => ({
      id: String(9007199254740993n + BigInt(number)),
      model: 'churn',
      time: Date.UTC(2026, 0, 1, 0, number),
      features: {
        age: 20 + number,
        income: number === 1 ? null : 1000.5,
        plan: 'basic',
        'address.city': 'Rome',
      },
      prediction: 'stays',
      score: 0.25,
    })),
  );
});

it('maps the lines of JSON, several rows of a line as well, and keeps what it cannot map', async () => {
  const mapping: InputMapping = {
    kind: 'feedback',
    rows: 'rows',
    fields: { label: 'truth', time: 'at' },
  };
  const path = join(folder, 'p.jsonl');
  await writeFile(
    path,
    '{"id":"a","at":1767225600,"rows":[{"truth":1},{"truth":0}]}\nnope\n{"id":"b"}\n',
  );
  const lines: string[] = [];
  for await (const some of readRecords(path, 'feedback', mapping)) lines.push(...some.map(String));
  expect(lines.slice(2)).toEqual(['nope', '{"id":"b"}']);
  expect(
    lines.slice(0, 2).map(line => contractValue(JSON.parse(line), 'Feedback').value),
  ).toMatchObject([
    { id: 'a-0', label: 1 },
    { id: 'a-1', label: 0 },
  ]);
});

describe('the mapping of a replay', () => {
  it('comes from a file of its own, or from the only input of its kind', async () => {
    const config = join(folder, 'c.yaml');
    await writeFile(
      config,
      'inputs:\n- {topic: a, kind: prediction, fields: {id: x}}\n- {topic: b, kind: prediction}\n' +
        '- {topic: c, kind: feedback, fields: {id: y}}\n',
    );
    const mapping = join(folder, 'm.yaml');
    await writeFile(mapping, 'inputs:\n- {kind: prediction, fields: {id: z}}\n');
    expect(replayMapping('feedback', { config })?.fields).toEqual({ id: 'y' });
    expect(replayMapping('prediction', { config, mapping })?.fields).toEqual({ id: 'z' });
    expect(replayMapping('feedback', { config, mapping })).toBeNull();
    expect(replayMapping('prediction', {})).toBeNull();
    expect(() => replayMapping('prediction', { config })).toThrow(
      'inputs: has 2 entries of the kind prediction; name a file with one of them by --mapping',
    );
    expect(replaySettings(config, undefined)).not.toContain('inputs');
  });
});
