import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runTrainer } from '../../../services/retrainer/trainer/runTrainer.ts';
import { trainerCodeVersion } from '../../../services/retrainer/trainer/trainerCodeVersion.ts';
import { readOutputs } from '../../../services/retrainer/trainer/trainerContract.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'driftloop-trainer-'));
});
afterAll(() => rm(folder, { recursive: true }));

const gate = { start: 2, end: 4 };
async function read(...lines: string[]) {
  const file = join(folder, 'predictions.jsonl');
  await writeFile(file, lines.join('\n'));
  return readOutputs(file, 4, gate);
}

describe('readOutputs', () => {
  it('reads the gate rows in any order, and other rows that are there', async () => {
    const { outputs } = await read(
      '{"row":3,"prediction":true,"score":0.5,"probabilities":{"true":0.5,"false":0.5}}',
      '{"row":2,"prediction":1.0}',
      '',
      '{"row":0,"prediction":"x","score":null}',
    );
    expect([...outputs!]).toEqual([
      [
        3,
        {
          prediction: 'true',
          predictionValue: null,
          score: 0.5,
          probabilities: { true: 0.5, false: 0.5 },
        },
      ],
      [2, { prediction: '1', predictionValue: 1, score: null, probabilities: null }],
      [0, { prediction: 'x', predictionValue: null, score: null, probabilities: null }],
    ]);
  });

  it.each([
    [
      ['{"row":2,"prediction":1}'],
      /^predictions\.jsonl: there is no prediction for gate row 3 \(gate rows are 2 to 3\)$/,
    ],
    [
      ['{"row":2,"prediction":1}', '{"row":2,"prediction":1}'],
      /^predictions\.jsonl:2: row 2 occurs twice$/,
    ],
    [
      ['{"row":4,"prediction":1}'],
      /^predictions\.jsonl:1: the row is 4, but the dataset has 4 rows$/,
    ],
    [['{"row":2,"prediction":NaN}'], /^predictions\.jsonl:1: the line is not JSON/],
    [['{"row":2}'], /^predictions\.jsonl:1: prediction: /],
    [['{"row":"2","prediction":1}'], /^predictions\.jsonl:1: row: /],
  ])('refuses %j', async (lines, message) => {
    expect((await read(...lines)).failure).toMatch(message);
  });
});

describe('runTrainer', () => {
  const logFile = () => join(folder, 'log');
  const run = (script: string, timeoutMs = 60_000, signal = new AbortController().signal) =>
    runTrainer(folder, {
      command: [process.execPath, '-e', script],
      timeoutMs,
      logFile: logFile(),
      signal,
    });

  beforeEach(() => writeFile(logFile(), 'before\n'));

  it('keeps what a trainer prints, also when it fails, up to a limit', async () => {
    await run(
      'console.log("epoch 1"); setTimeout(() => { console.error("no more"); process.exit(1) }, 100)',
    );
    expect(await readFile(logFile(), 'utf8')).toBe('before\nepoch 1\nno more\n');
    expect(await run('process.stdout.write("x".repeat(2e7))')).toBeNull();
    expect((await stat(logFile())).size).toBeLessThan(10.1 * 1024 * 1024);
    expect(await readFile(logFile(), 'utf8')).toMatch(/\[more was printed, but is not kept\]\n$/);
  });

  it('throws an error of the file system when the output cannot be kept', async () => {
    const options = { timeoutMs: 60_000, signal: new AbortController().signal };
    const trainer = runTrainer(folder, { command: ['true'], logFile: folder, ...options });
    await expect(trainer).rejects.toThrow(/EISDIR/);
  });

  it('passes the folder as the last argument, and no credentials', async () => {
    process.env.CLICKHOUSE_PASSWORD = 'secret';
    const failure = await run(
      `if (process.argv.at(-1) !== ${JSON.stringify(folder)} || process.env.CLICKHOUSE_PASSWORD || !process.env.PATH) process.exit(1)`,
    ).finally(() => delete process.env.CLICKHOUSE_PASSWORD);
    expect(failure).toBeNull();
  });

  it('returns the last lines of standard error as the reason of a failure', async () => {
    const script = 'for (let i = 1; i <= 9; i++) console.error("line " + i); process.exit(3)';
    expect(await run(script)).toBe(
      'The trainer ended with exit code 3. Its last lines: line 5 | line 6 | line 7 | line 8 | line 9',
    );
  });

  it('returns a reason if a trainer is killed, hangs, or does not exist', async () => {
    expect(await run('process.kill(process.pid, "SIGKILL")')).toBe(
      'The trainer was ended by SIGKILL.',
    );
    expect(await run('setInterval(() => {}, 1000)', 300)).toBe(
      'The trainer was stopped after 0.3 s (retraining.timeout).',
    );
    const missing = await runTrainer(folder, {
      command: ['/no/such/program'],
      timeoutMs: 1000,
      logFile: logFile(),
      signal: new AbortController().signal,
    });
    expect(missing).toMatch(/^The trainer cannot be started: .*ENOENT/);
  });

  it('throws an AbortError when the service stops', async () => {
    const controller = new AbortController();
    const running = run('setInterval(() => {}, 1000)', 60_000, controller.signal);
    controller.abort();
    await expect(running).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  });
});

describe('trainerCodeVersion', () => {
  it('names the built-in trainer by its version, and a command by the hashes of its files', async () => {
    expect(trainerCodeVersion()).toMatch(/^driftloop \d+\.\d+\.\d+$/);
    const script = join(folder, 'train.py');
    await writeFile(script, 'hello');
    expect(trainerCodeVersion(['python3', '-u', script])).toBe(
      `python3 -u ${script}@sha256:2cf24dba5fb0`,
    );
  });
});
