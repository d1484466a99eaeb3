import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../examples/electricity/report.ts';
import type { StoryEntry } from '../../examples/electricity/story.ts';
import { markedProcesses } from '../markedProcesses.ts';

const script = new URL('../../examples/electricity/main.ts', import.meta.url).pathname;
const freePorts = {
  DRIFTLOOP_KAFKA_PORT: '0',
  DRIFTLOOP_REGISTRY_PORT: '0',
  DRIFTLOOP_CLICKHOUSE_PORT: '0',
};
const marked = markedProcesses();

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'driftloop-test-electricity-'));
});
afterEach(async () => {
  // A test that has failed may have left its demo running.
  for (const demo of demos.splice(0)) demo.child.kill('SIGKILL');
  await marked.expectNone();
});
afterAll(() => rmSync(folder, { recursive: true }));

const demos: Demo[] = [];

interface Demo {
  child: ChildProcess;
  /** Resolves when a line of its output matches. */
  says(pattern: RegExp): Promise<void>;
  /** Resolves when the demo has exited, with its exit code and output. */
  ended: Promise<{ exitCode: number; output: string; errors: string }>;
}

function startDemo(args: string[], variables: Record<string, string> = freePorts): Demo {
  const child = spawn(process.execPath, [script, ...args], {
    env: { ...process.env, ...variables, ...marked.variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', text => {
    output += text;
  });
  child.stderr.on('data', text => {
    errors += text;
  });
  const ended = once(child, 'close').then(([exitCode]) => ({ exitCode, output, errors }));
  const says = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => pattern.test(output) && resolve();
      child.stdout.on('data', look);
      look();
      ended.then(() =>
        reject(new Error(`it ended without saying ${pattern}:\n${output}\n${errors}`)),
      );
    });
  const demo = { child, says, ended };
  demos.push(demo);
  return demo;
}

describe('the electricity demo', () => {
  it('prints each step from the drift to the published version, writes the report, and exits', async () => {
    const dir = join(folder, 'whole');
    const reportFile = join(folder, 'report.json');
    const { exitCode, output, errors } = await startDemo([
      '--headless',
      '--dir',
      dir,
      '--report',
      reportFile,
    ]).ended;
    expect(exitCode, output + errors).toBe(0);
    const report: Report = JSON.parse(readFileSync(reportFile, 'utf8'));
    expect(report).toMatchObject({ complete: true, missing: [] });

    const { counts, overall, quarters } = report;
    expect(counts).toMatchObject({
      predictions: overall.predictions,
      outcomes: overall.predictions,
      deadLetters: 0,
    });
    expect(overall.predictions).toBeGreaterThan(40_000);
    expect(quarters.map(({ quarter }) => quarter)).toEqual([
      ...['1996-Q3', '1996-Q4', '1997-Q1', '1997-Q2', '1997-Q3', '1997-Q4'],
      ...['1998-Q1', '1998-Q2', '1998-Q3', '1998-Q4'],
    ]);
    expect(overall.accuracyWithLoop).toBeGreaterThan(overall.accuracyAlone);
    expect(counts.approvedWithLineage).toBeGreaterThan(0);
    for (const { rows } of report.statements) expect(rows).toBeGreaterThan(0);

    const told = <Kind extends StoryEntry['kind']>(kind: Kind) =>
      report.story.filter(
        (entry): entry is Extract<StoryEntry, { kind: Kind }> => entry.kind === kind,
      );
    const served = new Set(told('switched').map(({ to }) => to));
    const approved = told('training').find(
      ({ causeType, status }) => causeType === 'drift_event' && status === 'approved',
    );
    expect(approved!.reasons[0]).toMatch(/^Comparison: passed\. .+95 % confidence interval .+\.$/);
    expect(served).toContain(approved!.candidateVersion);
    expect(told('drift').find(({ id }) => id === approved!.causeId)).toMatchObject({
      status: 'open',
      version: approved!.championVersion,
    });
    expect(
      told('version').find(({ version }) => version === approved!.candidateVersion)!.artifactUri,
    ).toContain(`file://${dir}`);
    for (const text of [approved!.reasons[0]!, ...quarters.map(({ quarter }) => quarter)]) {
      expect(output.replace(/\s+/g, ' ')).toContain(text.replace(/\s+/g, ' '));
    }
    await marked.expectNone();
  });

  it('stops every process when it is interrupted, and starts again with empty data', async () => {
    const dir = join(folder, 'interrupted');
    for (const [signal, exitCode] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const demo = startDemo(['--dir', dir]);
      await demo.says(/^discovered {2}model nsw-price-direction, version 1/m);
      expect(marked.list().length).toBeGreaterThan(8);
      demo.child.kill(signal);
      expect(await demo.ended).toMatchObject({ exitCode, errors: '' });
      await marked.expectNone();
    }
  });

  it('kills every process at the second Ctrl-C', async () => {
    const demo = startDemo(['--dir', join(folder, 'killed')]);
    await demo.says(/retrainer are up/);
    // A service that does not react delays the clean stop.
    const detector = marked
      .list()
      .find(({ command }) => command.includes('services/detector/main.ts'))!;
    process.kill(detector.pid, 'SIGSTOP');
    demo.child.kill('SIGINT');
    await demo.says(/stopping every process/);
    let interruptions = 1;
    const again = setInterval(() => {
      interruptions++;
      demo.child.kill('SIGINT');
    }, 300);
    const { exitCode } = await demo.ended;
    clearInterval(again);
    expect(exitCode).toBe(130);
    expect(interruptions).toBeGreaterThan(1);
    await marked.expectNone();
  });

  it('stops when a service dies, and prints its name and the end of its log', async () => {
    const demo = startDemo(['--headless', '--dir', join(folder, 'died')]);
    await demo.says(/^discovered/m);
    const evaluator = marked
      .list()
      .find(({ command }) => command.includes('services/evaluator/main.ts'))!;
    process.kill(evaluator.pid, 'SIGKILL');
    const { exitCode, errors } = await demo.ended;
    expect(exitCode).toBe(1);
    expect(errors).toMatch(
      /^evaluator was killed by SIGKILL \(log: .+evaluator\.log\)\n {2}\{"level"/,
    );
    await marked.expectNone();
  });

  it('explains in one line that a port is taken, that a folder has other files, or that the report cannot be written', async () => {
    const taken = createServer();
    await once(taken.listen(0, '127.0.0.1'), 'listening');
    const { port } = taken.address() as AddressInfo;
    const ports = { ...freePorts, DRIFTLOOP_REGISTRY_PORT: String(port) };
    const dir = join(folder, 'refused');
    expect(await startDemo(['--dir', dir], ports).ended).toMatchObject({
      exitCode: 1,
      errors: `port ${port} for the schema registry is taken by another program: stop that program, or choose another port with DRIFTLOOP_REGISTRY_PORT\n`,
    });
    taken.close();
    expect(existsSync(dir)).toBe(false);

    const others = join(folder, 'others');
    mkdirSync(others);
    writeFileSync(join(others, 'thesis.txt'), '');
    expect(await startDemo(['--dir', others]).ended).toMatchObject({
      exitCode: 1,
      errors: `${others} holds files that no earlier run has made: choose another folder with --dir\n`,
    });
    expect(readdirSync(others)).toEqual(['thesis.txt']);

    expect(
      await startDemo(['--dir', dir, '--report', join(folder, 'missing', 'r.json')]).ended,
    ).toMatchObject({
      exitCode: 1,
      errors: `--report ${join(folder, 'missing', 'r.json')}: there is no folder ${join(folder, 'missing')} that could be written to\n`,
    });
    expect(await startDemo([], { ...freePorts, DRIFTLOOP_KAFKA_PORT: 'x' }).ended).toMatchObject({
      exitCode: 1,
      errors:
        'environment variable DRIFTLOOP_KAFKA_PORT: expected a port, or 0 for a free one (got "x")\n',
    });
  });
});
