import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerContracts } from '../../infra/kafka/registerContracts.ts';
import type { ServiceProcess } from '../../infra/local/processes/serviceProcesses.ts';
import { type LocalStack, startLocalStack } from '../../infra/local/stack.ts';
import { revisions } from '../../services/retrainer/store/modelVersionTable.ts';
import { retrainerStore } from '../../services/retrainer/store/store.ts';
import {
  recordOfGates,
  type VersionFacts,
} from '../../services/retrainer/versions/publishedVersion.ts';
import { folderChecksum } from '../../services/shared/artifacts/folderChecksum.ts';
import type { Alert } from '../../services/shared/contracts.ts';
import { topics } from '../../services/shared/kafka/topics.ts';
import { fencedBlocks } from '../fencedBlocks.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';

const root = new URL('../../', import.meta.url).pathname;
const docs = new URL('../../docs/', import.meta.url);
const blocksOf = (page: string, kind: string) =>
  fencedBlocks(readFileSync(new URL(page, docs), 'utf8'))
    .filter(block => block.kind === kind)
    .map(block => block.text);

/**
 * The kinds of code blocks in the pages. `ts run`, `sh run`, `sh explain`, `sh versions` and `sql` must
 * end without an error.
 * `ts follow` runs until it is stopped. Unit tests check `json …`, `yaml …`, `sh alerts` and `sh project`. `sh docker` needs Docker and is not run.
 */
const kinds = [
  '',
  'ts run',
  'ts follow',
  'sh run',
  'sh explain',
  'sh versions',
  'sql',
  'json prediction',
  'json feedback',
  'yaml settings',
  'yaml inputs',
  'yaml guardrails',
  'sh alerts',
];
const pages = ['producers.md', 'operators.md', 'analysts.md', 'contributors.md'];
const kindsNotRun = ['sh project', 'sh docker'];

describe('docs', { timeout: 300_000 }, () => {
  let folder: string;
  let stack: LocalStack;
  let installation: Installation;
  const services: ServiceProcess[] = [];
  beforeAll(async () => {
    // The pages name topics without a prefix. On shared servers such topics may belong to other
    // users.
    folder = await mkdtemp(join(tmpdir(), 'driftloop-docs-'));
    stack = await startLocalStack({ dir: folder });
    installation = await freshInstallation({ ...stack.variables, DRIFTLOOP_TOPIC_PREFIX: '' });
    await registerContracts(installation.schemas, installation.environment);
    await symlink(join(root, 'node_modules'), join(installation.folder, 'node_modules'));
  });
  afterAll(async () => {
    await Promise.all(services.map(service => service.stop()));
    await installation[Symbol.asyncDispose]();
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  });

  function start(
    command: string,
    args: string[],
  ): ChildProcess & { stdout: NodeJS.ReadableStream } {
    return spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...installation.variables },
      stdio: ['ignore', 'pipe', 'inherit'],
    }) as ChildProcess & { stdout: NodeJS.ReadableStream };
  }

  async function startProgram(name: string, program: string) {
    const file = join(installation.folder, `${name}.mts`);
    await writeFile(file, program);
    return start(process.execPath, [file]);
  }

  async function outputOf(child: ReturnType<typeof start>): Promise<string> {
    const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    expect(exitCode, output).toBe(0);
    return output;
  }

  /** Returns the first line that matches. Other lines may come from kafkajs. */
  async function firstLine(
    stream: NodeJS.ReadableStream,
    wanted: RegExp,
  ): Promise<string | undefined> {
    for await (const line of createInterface({ input: stream })) if (wanted.test(line)) return line;
  }

  it('have only blocks of known kinds', () => {
    for (const page of pages) {
      for (const { kind } of fencedBlocks(readFileSync(new URL(page, docs), 'utf8'))) {
        expect([...kinds, ...kindsNotRun], page).toContain(kind);
      }
    }
  });

  it('producers.md: the programs send predictions and feedback that are counted and joined', async () => {
    services.push(
      ...(await Promise.all((['profiler', 'evaluator'] as const).map(installation.startService))),
    );
    const programs = blocksOf('producers.md', 'ts run');
    expect(programs).toHaveLength(2);
    for (const [index, program] of programs.entries())
      await outputOf(await startProgram(`producer${index}`, program));
    const { clickhouse } = installation;
    await installation.untilQuiet('profiler', 'evaluator');
    expect(
      await clickhouse.select('SELECT id, prediction FROM predictions FINAL ORDER BY id'),
    ).toEqual([
      { id: 'c-4712', prediction: 'stays' },
      { id: 'c-4713', prediction: 'leaves' },
    ]);
    expect(await clickhouse.select('SELECT id, label FROM outcomes FINAL')).toEqual([
      { id: 'c-4712', label: 'stays' },
    ]);
    expect(await clickhouse.select('SELECT * FROM dead_letters')).toEqual([]);
  });

  it('operators.md: the commands do what the page says', async () => {
    const outputs: string[] = [];
    for (const commands of blocksOf('operators.md', 'sh run')) {
      outputs.push(await outputOf(start('sh', ['-e', '-c', commands])));
    }
    const [prepared, rebuild, deadLetters, retraining] = outputs;
    expect(prepared).toMatch(
      /exists +predictions \(4 partitions\)[\s\S]*is up to date[\s\S]*window: 1h[\s\S]*churn/,
    );
    expect(rebuild).toContain('the topics hold everything, so all windows are computed again');
    expect(deadLetters).toMatch(/no dead letters\nsent again: 0/);
    expect(retraining).toContain('asked for a new version of churn');
  });

  it('operators.md: explain answers for an event, a window and a feature', async () => {
    const { clickhouse } = installation;
    const [window] = await clickhouse.select<{ start: string; time: string }>(
      `SELECT toString(min(window_start)) AS start,
              formatDateTime(min(window_start), '%Y-%m-%dT%H:%iZ') AS time FROM window_profiles`,
    );
    const [block] = blocksOf('operators.md', 'sh explain');
    const [id] = /[0-9a-f]{32}/.exec(block!)!;
    await clickhouse.insert('drift_events', [
      {
        id,
        revision: 1,
        status: 'open',
        model: 'churn',
        version: '3',
        window_start: window!.start,
      },
    ]);
    const commands = block!.replaceAll('2026-05-03T14:00Z', window!.time);
    const output = await outputOf(start('sh', ['-e', '-c', commands]));
    expect(
      output.match(/^churn 3, window from .* UTC, \d records, all predictions$/gm),
    ).toHaveLength(3);
    expect(output.match(/^Verdict: none yet\./gm)).toHaveLength(3);
  });

  it('operators.md: the commands show, approve and roll back a version', async () => {
    const store = retrainerStore(installation.clickhouse);
    const folder = join(installation.folder, 'model');
    await mkdir(folder);
    await writeFile(join(folder, 'weights.bin'), 'weights');
    const facts: VersionFacts = {
      model: 'churn',
      version: '4',
      reasons: [],
      metrics: {},
      championVersion: '3',
      runId: 'run',
      causeType: 'manual',
      causeId: 'cause',
      datasetId: 'rows',
      codeVersion: 'trainer',
      artifactUri: pathToFileURL(folder).href,
      artifactChecksum: await folderChecksum(folder),
      referenceId: 'reference',
      verdict: 'promote',
    };
    await store.versions.insert(recordOfGates(facts, 'candidate', 0), revisions.judged, 0);
    await store.steps.insert({
      sequence: 1,
      request: {
        ...{ id: 'submit', model: 'churn', action: 'submit', version: '4', time: 0 },
        ...{ expectedChampion: null, requestedBy: 'retrainer', note: null },
      },
      answeredAtMs: 0,
      accepted: true,
      answer: 'Version 4 waits for approval.',
      steps: [
        {
          ...{ sequence: 1, version: '4', stateBefore: 'candidate' },
          ...{ state: 'waiting_for_approval', reason: 'It has passed the gates.' },
        },
      ],
    });
    services.push(await installation.startService('retrainer'));
    const [commands] = blocksOf('operators.md', 'sh versions');
    const output = await outputOf(start('sh', ['-e', '-c', commands!]));
    expect(output).toMatch(/churn +4 +waiting_for_approval[\s\S]*HISTORY/);
    expect(output).toContain(
      'Version 3 is the champion again, instead of version 4.\nno versions\n',
    );
    expect(output).toMatch(
      /Version 4 is the champion, instead of version 3\.\nproperty +version 3 +version 4\n/,
    );
  });

  it('operators.md: the program prints new alerts', async () => {
    const [program] = blocksOf('operators.md', 'ts follow');
    const child = await startProgram('pager', program!);
    const encode = await installation.schemas.encoder<Alert>('Alert', topics.alerts);
    const alert: Alert = {
      id: 'a',
      revision: 1,
      state: 'opened',
      model: 'churn',
      version: '3',
      severity: 'critical',
      title: 'churn 3: data drift: age rose',
      notice: null,
      driftEventIds: ['d'],
      openedAtEventTime: 0,
      updatedAtEventTime: 0,
      reminders: null,
      happened: 'opened',
      acknowledgedBy: null,
      snoozedUntil: null,
      note: null,
      endReason: null,
      actedAt: null,
    };
    await installation.producer.send({
      topic: topics.alerts,
      messages: [{ key: alert.model, value: encode(alert) }],
    });
    try {
      expect(await firstLine(child.stdout, /^opened/)).toBe(
        'opened critical churn 3: churn 3: data drift: age rose',
      );
    } finally {
      child.kill();
      await once(child, 'close');
    }
  });

  it.each(blocksOf('analysts.md', 'sql').map(query => [query.split('\n')[0]!, query]))(
    'analysts.md: %s',
    async (_, query) => {
      const rows = await installation.clickhouse.select<Record<string, unknown>>(query);
      if (query.includes('FROM model_status'))
        expect(rows).toMatchObject([
          { model: 'churn', version: '3', predictions: 2, evaluated_until: null },
        ]);
      if (query.includes("feature = 'age'"))
        expect(rows).toMatchObject([{ records: 2, mean: 43, lowest: 29, highest: 57 }]);
    },
  );

  it('analysts.md lists every table and view', async () => {
    // Tables that only services use.
    const internal = [
      ...['schema_migrations', 'prediction_ids'],
      ...['fold_ledgers', 'fold_states', 'rebuild_holds', 'topic_positions'],
    ];
    const found = await installation.clickhouse.select<{ name: string }>(
      `SELECT name FROM system.tables WHERE database = {database:String} AND engine != 'MaterializedView' ORDER BY name`,
      { database: installation.environment.CLICKHOUSE_DATABASE },
    );
    const page = readFileSync(new URL('analysts.md', docs), 'utf8');
    const [, tables = ''] = /\n## [^\n]*\n([\s\S]*?)\n## FINAL/.exec(page) ?? [];
    const listed = [...tables.matchAll(/^\| `(\w+)` +\|/gm)].map(match => match[1]!);
    expect(listed.sort()).toEqual(
      found.map(({ name }) => name).filter(name => !internal.includes(name)),
    );
  });
});
