import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomOf } from '../../../quality/streams/random.ts';

const program = new URL('../../../quality/main.ts', import.meta.url).pathname;
const startMs = Date.UTC(2026, 0, 1);
const rows = 6000;
const onset = 4000;

/** One feature that shifts at the onset, in the files that the published protocol writes. */
function writeStream(folder: string): void {
  const random = randomOf('folder');
  const predictions: string[] = [];
  const feedback: string[] = [];
  for (let row = 0; row < rows; row++) {
    const time = startMs + row * 1000;
    const amount = random.normal() + (row < onset ? 0 : 1);
    predictions.push(
      JSON.stringify({
        id: `r${row}`,
        model: 'm',
        version: '1',
        time,
        features: { amount },
        prediction: 'a',
      }),
    );
    feedback.push(
      JSON.stringify({ id: `r${row}`, time, label: random.uniform() < 0.8 ? 'a' : 'b' }),
    );
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'predictions.jsonl.gz'),
    gzipSync([...predictions, 'broken'].join('\n')),
  );
  writeFileSync(join(folder, 'feedback.jsonl'), feedback.join('\n'));
  const truth = {
    dataset: 'small',
    type: 'shift',
    mode: 'ABRUPT',
    max_delay: 500,
    rows,
    monitor_from: 0,
  };
  const clock = { t0_ms: startMs, step_ms: 1000, label_delay_s: 0, drifts: [{ start: onset }] };
  writeFileSync(join(folder, 'truth.json'), JSON.stringify({ ...truth, ...clock }));
}

describe('npm run quality', { timeout: 300_000 }, () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'driftloop-quality-'));
    writeStream(join(folder, 'streams', 'shifted'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function quality(...args: string[]) {
    const cache = join(folder, 'cache');
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [program, '--cache', cache, ...args],
      {
        encoding: 'utf8',
      },
    );
    return { status, lines: stdout.split('\n'), errors: stderr };
  }

  it('writes and scores the drift events of a folder of streams, and counts their windows only once', () => {
    const out = join(folder, 'events');
    const run = () => quality('--dir', join(folder, 'streams'), '--out', out);
    const { status, lines, errors } = run();
    expect(errors).toBe('shifted: 1 records rejected: malformed-json\n');
    expect(status).toBe(0);
    expect(lines.find(line => line.startsWith('ABRUPT  MEAN'))).toMatch(
      / 1\.000 +1\.000 +1\.000 +0\.0000 +0\.00 +200 +0 +1$/,
    );
    const events = readFileSync(join(out, 'shifted.jsonl'), 'utf8');
    expect(
      events
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line)),
    ).toMatchObject([
      {
        time: startMs + (onset + 200) * 1000,
        cause: 'data_drift',
        feature: 'amount',
        raisedAt: startMs + (onset + 200) * 1000,
      },
    ]);
    const counted = readdirSync(join(folder, 'cache'));
    expect(counted).toHaveLength(1);
    expect(run().lines.slice(0, -2)).toEqual(lines.slice(0, -2));
    expect(readFileSync(join(out, 'shifted.jsonl'), 'utf8')).toBe(events);
    expect(readdirSync(join(folder, 'cache'))).toEqual(counted);

    utimesSync(join(folder, 'streams', 'shifted', 'feedback.jsonl'), 1, 1);
    run();
    expect(readdirSync(join(folder, 'cache'))).toHaveLength(2);
  });

  it('finds no shift of a feature when features are left out', () => {
    const { lines } = quality(
      '--dir',
      join(folder, 'streams'),
      '--out',
      join(folder, 'error'),
      '--signals',
      'labels,error',
    );
    expect(lines.find(line => line.startsWith('ABRUPT  MEAN'))).toMatch(/^ABRUPT +MEAN +0\.000 /);
    expect(readFileSync(join(folder, 'error', 'shifted.jsonl'), 'utf8')).toBe('');
  });

  it.each([
    [['--dir', 'nowhere', '--out', 'x'], /^--dir nowhere: ENOENT/],
    [['--dir', '.'], /^--out is missing: --dir needs a folder/],
    [
      ['--dir', '.', '--out', 'x', '--signals', 'features,lables'],
      /^--signals: "lables" is not a signal; expected some of features,labels,error$/,
    ],
    [
      ['--dir', '.', '--out', 'x', '--window', '5'],
      /^--window 5: expected a duration such as 200s, 1h$/,
    ],
    [['--track', 'protcol'], /^--track protcol: expected some of protocol /],
    [['--track', 'power', '--repeats', '0'], /^--repeats 0: expected a whole number above 0$/],
  ])('says in one line what is wrong with %j', (args, expected) => {
    const { status, errors } = quality(...args);
    expect(errors.trimEnd()).toMatch(expected);
    expect(errors.trimEnd().split('\n')).toHaveLength(1);
    expect(status).toBe(1);
  });
});
