import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readLoopRecord } from '../../infra/local/loop/loopRecord.ts';
import { driftloop } from '../commands.ts';
import { eventually } from '../eventually.ts';
import { markedProcesses } from '../markedProcesses.ts';

const root = new URL('../../', import.meta.url).pathname;
const marked = markedProcesses();
const variables = {
  ...marked.variables,
  DRIFTLOOP_KAFKA_PORT: '0',
  DRIFTLOOP_REGISTRY_PORT: '0',
  DRIFTLOOP_CLICKHOUSE_PORT: '0',
};

let folder = '';
let dir = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'driftloop-test-up-'));
  dir = join(folder, 'data');
});
afterEach(async () => {
  await driftloop(variables, 'down', '--dir', dir);
});
afterAll(() => rmSync(folder, { recursive: true }));

const down = () => driftloop(variables, 'down', '--dir', dir);

/** Returns the variables that the output says to export. */
function exportsIn(output: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(output.matchAll(/^ {2}export (\w+)=(\S+)$/gm), ([, name, value]) => [name!, value!]),
  );
}

/** Runs `up` in the foreground until it says that everything is up. */
async function startUp(...args: string[]) {
  const program = join(root, 'bin', 'driftloop.mjs');
  const child = spawn(process.execPath, [program, 'up', '--dir', dir, ...args], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', text => {
    output += text;
  });
  child.stderr.on('data', text => {
    output += text;
  });
  const ended = once(child, 'close').then(([exitCode]) => exitCode as number | null);
  await eventually(
    `"Driftloop is up" from up ${args.join(' ')}`,
    () => /Ctrl-C stops everything/.test(output) || child.exitCode !== null,
    { timeoutMs: 180_000 },
  );
  expect(child.exitCode, output).toBeNull();
  return { child, output, ended };
}

async function countedPredictions(clickhouseUrl: string): Promise<string> {
  const query = 'SELECT sum(predictions) FROM model_status';
  const response = await fetch(`${clickhouseUrl}/?database=driftloop`, {
    method: 'POST',
    body: query,
  });
  return (await response.text()).trim();
}

describe('driftloop up', () => {
  it('starts everything and counts a prediction, and down ends every process', async () => {
    const first = await driftloop(variables, 'up', '--detach', '--dir', dir);
    expect(first.exitCode, first.errors).toBe(0);
    const servers = exportsIn(first.output);
    expect(Object.keys(servers)).toEqual([
      'KAFKA_BROKERS',
      'SCHEMA_REGISTRY_URL',
      'CLICKHOUSE_URL',
    ]);
    const addresses = [...first.output.matchAll(/http:\S+\/metrics/g)].map(([url]) => url);
    expect(addresses).toHaveLength(4);
    for (const address of addresses)
      expect(await (await fetch(address)).text()).toContain('driftloop_records_total');

    const again = await driftloop(variables, 'up', '--dir', dir);
    expect(again).toMatchObject({ exitCode: 0, errors: '' });
    expect(again.output).toBe(`Nothing to do. ${first.output}`);

    const example = join(root, 'examples', 'firstPrediction.ts');
    await promisify(execFile)(process.execPath, [example], { env: { ...process.env, ...servers } });
    await eventually(
      'a prediction that is counted',
      async () => (await countedPredictions(servers.CLICKHOUSE_URL!)) === '1',
    );
    const [curl] = /^ {2}curl .*$/m.exec(first.output)!;
    const { stdout } = await promisify(execFile)('sh', ['-c', curl], {
      env: { ...process.env, ...servers },
    });
    expect(stdout).toMatch(/churn.*1.*1/);
    const status = await driftloop(servers, 'status');
    expect(status.output).toMatch(/^churn +1 +observed +1 /m);

    expect(marked.list().length).toBeGreaterThan(8);
    expect(await down()).toMatchObject({
      exitCode: 0,
      output: `Stopped Kafka, the schema registry, ClickHouse, profiler, evaluator, detector, retrainer. The data stay in ${dir}.\n`,
    });
    await marked.expectNone();
    expect(await down()).toMatchObject({
      exitCode: 0,
      output: `Nothing runs with its data in ${dir}. Log of the last start: ${dir}.log\n`,
    });
  });

  it('keeps its data, recognises a run that was killed, and empties its folder on request', async () => {
    const kept = await startUp();
    expect(await countedPredictions(exportsIn(kept.output).CLICKHOUSE_URL!)).toBe('1');
    const { pid } = readLoopRecord(dir)!.starter;
    process.kill(pid, 'SIGKILL');
    await kept.ended;
    const cutOff = await startUp('--empty');
    expect(cutOff.output).toContain(`was cut off (process ${pid} is gone)`);
    expect(await countedPredictions(exportsIn(cutOff.output).CLICKHOUSE_URL!)).toBe('0');
    cutOff.child.kill('SIGINT');
    expect(await cutOff.ended).toBe(0);
    await marked.expectNone();
    expect(readLoopRecord(dir)).toBeNull();
  });

  it('stops everything when a service dies, and names the service', async () => {
    const running = await startUp();
    const detector = readLoopRecord(dir)!.parts.find(({ name }) => name === 'detector')!;
    let output = '';
    running.child.stderr.on('data', text => {
      output += text;
    });
    process.kill(detector.pid, 'SIGKILL');
    expect(await running.ended).toBe(1);
    expect(output).toContain(
      `detector was killed by SIGKILL (log: ${detector.logFile})\n  {"level"`,
    );
    await marked.expectNone();
  });
});
