import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { sendRequest } from '../../../services/retrainer/external/sendRequest.ts';
import {
  type TrainingRequest,
  trainingRequest,
} from '../../../services/retrainer/external/trainingRequest.ts';
import { readTrainingResult } from '../../../services/retrainer/external/trainingResult.ts';
import { fencedBlocks } from '../../fencedBlocks.ts';

const path = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
const blocks = (page: string, kind: string) =>
  fencedBlocks(readFileSync(path(`docs/training/${page}.md`), 'utf8'))
    .filter(block => block.kind === kind)
    .map(({ text }) => text);

describe('docs/training', () => {
  it('shows a request and a result as they are', () => {
    const shown = JSON.parse(blocks('README', 'json training request')[0]!) as TrainingRequest;
    expect(shown).toEqual(trainingRequest(shown.data, Date.parse(shown.time)));
    const whole = blocks('README', 'json training result')[0]!.replace(
      /"[0-9a-f]{4}…"/g,
      `"${'0'.repeat(64)}"`,
    );
    expect(readTrainingResult(Buffer.from(whole), shown.id)).toMatchObject({
      kind: 'trained',
      trained: { codeVersion: 'git 5f2e91c' },
    });
  });

  it.each([
    ['airflow', 'airflow', 2],
    ['sagemaker', 'boto3', 1],
    ['databricks', 'databricks', 2],
    ['azure-ml', 'azure', 1],
    ['kubeflow', 'kubernetes', 1],
  ])(
    '%s.md: the programs start one job for a request, which names the run',
    (page, client, count) => {
      const programs = blocks(page, 'python platform');
      expect(programs).toHaveLength(count);
      const { stdout, stderr } = spawnSync(
        'python3',
        [path('test/unit/deployment/startTraining.py')],
        {
          input: JSON.stringify(programs),
          encoding: 'utf8',
        },
      );
      expect(stderr).toBe('');
      expect(stdout).toBe(`${client} True True\n`);
    },
  );
});

describe('examples/platform/receiver.py', () => {
  it('starts a job for a request that is signed, and refuses another', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'driftloop-receiver-'));
    copyFileSync(path('examples/platform/receiver.py'), join(folder, 'receiver.py'));
    writeFileSync(
      join(folder, 'start.py'),
      'def start(request):\n    if request["subject"] == "broken": raise OSError("no nodes")\n    print("started", request["id"], flush=True)\n',
    );
    const secret = Buffer.from('a secret of the platform').toString('base64');
    const receiver = spawn('python3', ['receiver.py', '0'], {
      cwd: folder,
      env: { ...process.env, TRAININGS_SECRET: `whsec_${secret}` },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const lines = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]();
      const [port] = /\d+$/.exec((await lines.next()).value!)!;
      const shown = JSON.parse(blocks('README', 'json training request')[0]!) as TrainingRequest;
      const webhook = { url: `http://127.0.0.1:${port}/`, secretEnv: 'TEST_RECEIVER_SECRET' };
      const ask = (request: TrainingRequest, key: string) => {
        process.env.TEST_RECEIVER_SECRET = key;
        return sendRequest(request, { webhook }, async () => {});
      };
      expect(await ask(shown, secret)).toEqual({ kind: 'accepted' });
      expect((await lines.next()).value).toBe(`started ${shown.id}`);
      expect(await ask(shown, Buffer.from('another').toString('base64'))).toMatchObject({
        kind: 'refused',
        reason: expect.stringMatching(/status 401: the signature is missing, wrong or old$/),
      });
      expect(await ask({ ...shown, subject: 'broken' }, secret)).toMatchObject({
        kind: 'away',
        reason: expect.stringMatching(/status 500: the job was not started: no nodes$/),
      });
    } finally {
      delete process.env.TEST_RECEIVER_SECRET;
      receiver.kill();
      await once(receiver, 'close');
      rmSync(folder, { recursive: true });
    }
  });
});
