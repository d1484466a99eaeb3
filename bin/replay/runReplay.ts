import { randomBytes } from 'node:crypto';
import { access, constants, mkdtemp, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { dropInstallation } from '../../infra/installation/dropInstallation.ts';
import { prepareInstallation } from '../../infra/installation/prepareInstallation.ts';
import { waitUntilQuiet } from '../../infra/kafka/quiescence.ts';
import { startServices } from '../../infra/local/processes/startServices.ts';
import { connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { type Environment, readEnvironment } from '../../services/shared/config/environment.ts';
import type { InputKind } from '../../services/shared/config/inputs.ts';
import { readSettings, type Settings } from '../../services/shared/config/settings.ts';
import {
  connectKafka,
  connectProducer,
  type Kafka,
  type KafkaAdmin,
} from '../../services/shared/kafka/kafka.ts';
import type { ServiceName } from '../../services/shared/kafka/serviceFlow.ts';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import { UserError } from '../../services/shared/userError.ts';
import { noticeTexts } from '../report/noticeTexts.ts';
import { refusedLines, refusedText } from '../report/refusedLines.ts';
import { writeHtmlReport } from '../report/writeHtmlReport.ts';
import { writeReport } from '../report/writeReport.ts';
import { requireServers } from '../servers/requireServer.ts';
import { untilAborted } from '../terminal/interruption.ts';
import type { Progress } from '../terminal/progress.ts';
import { replayMapping } from './replayMapping.ts';
import { replayServers } from './replayServers.ts';
import { replaySettings } from './replaySettings.ts';
import { replayTopics } from './replayTopics.ts';
import { type SentLines, sendLines } from './sendLines.ts';
import { sendStreamEnd } from './sendStreamEnd.ts';
import { type SpooledFile, spoolFile } from './spoolFile.ts';

export interface ReplayOptions {
  predictions: string;
  feedback?: string;
  config?: string;
  mapping?: string;
  window?: string;
  report: string;
  html?: string;
  retrain: boolean;
  keep?: boolean;
}

/**
 * Short, because a replay waits for the services in turn. Under load they write less often by
 * themselves.
 */
const flushMs = '100';

/** Folder of the logs of the services; startLocalStack puts those of the servers there too. */
const logFolder = 'logs';

type Undo = (step: () => Promise<unknown>) => void;

/**
 * Runs files of predictions and feedback through the services to the end of the stream, on topics
 * and a database of their own. It leaves nothing behind but the report, or what `keep` asks for.
 * @param signal ends the replay early
 * @returns the number of lines that were refused
 * @throws UserError if a file is wrong, or a server or service cannot start or has died
 */
export async function runReplay(
  options: ReplayOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<number> {
  const startedAtMs = Date.now();
  await requireFiles(options);
  for (const kind of ['prediction', 'feedback'] as const) replayMapping(kind, options);
  const settingsText = replaySettings(options.config, options.window);
  const dir = await mkdtemp(join(tmpdir(), 'driftloop-replay-'));
  const undoSteps: (() => Promise<unknown>)[] = [];
  const undo: Undo = step => undoSteps.unshift(step);
  let logIsNamed = false;
  if (!options.keep) undo(() => removeFolder(dir, logIsNamed));
  try {
    const failure = new AbortController();
    const running = await startInstallation(options, dir, settingsText, progress, undo, failure);
    const ended = AbortSignal.any([signal, failure.signal]);
    // A client would wait for a server that has died, but that one will not come back.
    return await Promise.race([
      replayFiles({ ...running, options, dir, progress, startedAtMs, signal: ended }),
      untilAborted(ended),
    ]);
  } catch (error) {
    logIsNamed = String(error).includes(dir);
    throw error;
  } finally {
    for (const step of undoSteps) {
      await step().catch(error =>
        progress.step(`cleaning up: ${error instanceof Error ? error.message : error}`),
      );
    }
  }
}

/** @param keepLogs true if an error message has named them */
async function removeFolder(dir: string, keepLogs: boolean): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!keepLogs || name !== logFolder)
      await rm(join(dir, name), { recursive: true, force: true });
  }
  if (!keepLogs) await rmdir(dir);
}

/** Checks the files before anything is started. @throws UserError */
async function requireFiles({ predictions, feedback, report, html }: ReplayOptions): Promise<void> {
  for (const [option, file] of [
    ['--predictions', predictions],
    ['--feedback', feedback],
  ]) {
    if (file === undefined) continue;
    const found = await stat(file).catch(() => null);
    if (!found) throw new UserError(`${option} ${file}: there is no such file`);
    if (found.isDirectory()) throw new UserError(`${option} ${file}: is a folder, expected a file`);
    await access(file!, constants.R_OK).catch(cause => {
      throw new UserError(`${option} ${file}: you have no permission to read it`, { cause });
    });
  }
  for (const [option, file] of [
    ['--report', report],
    ['--html', html],
  ]) {
    if (file === undefined) continue;
    await access(dirname(file), constants.W_OK).catch(cause => {
      throw new UserError(
        `${option} ${file}: there is no folder ${dirname(file)} that could be written to`,
        { cause },
      );
    });
  }
}

interface Installation {
  environment: Environment;
  kafka: Kafka;
  admin: KafkaAdmin;
  services: ServiceName[];
}

/** Starts servers and services and makes topics and tables. Adds to `undo` what removes each. */
async function startInstallation(
  options: ReplayOptions,
  dir: string,
  settingsText: string,
  progress: Progress,
  undo: Undo,
  failure: AbortController,
): Promise<Installation> {
  const id = randomBytes(4).toString('hex');
  const configFile = join(dir, 'settings.yaml');
  await writeFile(configFile, settingsText);

  const servers = await replayServers(dir, progress.step);
  undo(servers.stop);
  servers.ended.then(line => failure.abort(new UserError(line)));
  const variables = {
    ...servers.variables,
    CLICKHOUSE_DATABASE: `replay_${id}`,
    DRIFTLOOP_TOPIC_PREFIX: `replay-${id}-`,
    DRIFTLOOP_CONFIG: configFile,
    DRIFTLOOP_FLUSH_MS: flushMs,
    DRIFTLOOP_ARTIFACTS: join(dir, 'artifacts'),
  };
  const environment = readEnvironment({ ...process.env, ...variables });
  await requireServers(environment);
  const kafka = connectKafka(environment, 'driftloop-replay');
  const admin = kafka.admin();
  await admin.connect();
  undo(() => admin.disconnect());
  if (!servers.own && !options.keep) undo(() => dropInstallation(admin, environment));
  if (options.keep)
    undo(async () => progress.step(whereItIs(environment, servers.own ? dir : null)));
  await prepareInstallation(admin, environment, replayTopics);

  const services: ServiceName[] = [
    'profiler',
    'evaluator',
    'detector',
    ...(options.retrain ? ['retrainer' as const] : []),
  ];
  const onExit = (line: string) => failure.abort(new UserError(line));
  const logDir = join(dir, logFolder);
  const started = await startServices({ services, variables, logDir, onExit });
  undo(started.stop);
  progress.step(`${services.join(', ')} are up (logs: ${logDir})`);
  return { environment, kafka, admin, services };
}

function whereItIs(
  { CLICKHOUSE_DATABASE: database, ...environment }: Environment,
  dir: string | null,
): string {
  const lines = [`kept: database ${database}, topics ${environment.DRIFTLOOP_TOPIC_PREFIX}*`];
  let url = environment.CLICKHOUSE_URL;
  if (dir !== null) {
    url = 'http://127.0.0.1:8123';
    lines.push(
      `kept: folder ${dir} (logs, models, data); start ClickHouse on it:`,
      `  npx node infra/local/clickhouse/clickhouse-server.ts --path ${join(dir, 'clickhouse')} --port 8123`,
    );
  }
  lines.push(
    'query it:',
    `  curl '${url}/?database=${database}' --data 'SELECT * FROM model_status FORMAT Vertical'`,
  );
  return lines.join('\n');
}

interface Replay extends Installation {
  options: ReplayOptions;
  /** Folder for temporary files. */
  dir: string;
  progress: Progress;
  startedAtMs: number;
  signal: AbortSignal;
}

/** Replays the files and writes what came out. @returns the number of lines that were refused */
async function replayFiles(replay: Replay): Promise<number> {
  const { environment, kafka, options, progress, startedAtMs, signal } = replay;
  const settings = readSettings(environment.DRIFTLOOP_CONFIG);
  const clickhouse = connectClickhouse(environment, { retry: false });
  const producer = await connectProducer(kafka);
  try {
    const startedSendingMs = Date.now();
    const sent = await sendFiles(replay, settings, producer);
    const sentMs = Date.now();
    progress.step(`sent ${countOf(sent)}`);

    await settle(replay, ['profiler', 'evaluator']);
    await sendStreamEnd(producer, clickhouse, environment, settings);
    await settle(replay, replay.services);
    const processedMs = Date.now();
    signal.throwIfAborted();

    const workMs = processedMs - startedSendingMs;
    const refused = await refusedLines(clickhouse, environment.DRIFTLOOP_TOPIC_PREFIX);
    const report = {
      settings,
      refused,
      input: {
        predictions: { file: options.predictions, lines: sent.predictions },
        feedback:
          options.feedback === undefined ? null : { file: options.feedback, lines: sent.feedback },
      },
      environment,
      timings: () => ({
        startedAt: new Date(startedAtMs).toISOString(),
        stackMs: startedSendingMs - startedAtMs,
        sendMs: sentMs - startedSendingMs,
        processMs: processedMs - sentMs,
        totalMs: Date.now() - startedAtMs,
        eventsPerSecond: Math.round(
          ((sent.predictions + sent.feedback) * 1000) / Math.max(1, workMs),
        ),
      }),
    };
    await writeReport(options.report, clickhouse, report);
    if (options.html !== undefined) await writeHtmlReport(options.html, clickhouse, report);
    for (const text of await noticeTexts(clickhouse)) progress.step(text);
    if (refused.length > 0) progress.step(refusedText(refused));
    progress.step(
      `processed after ${((processedMs - startedAtMs) / 1000).toFixed(1)} s; report: ${[options.report, options.html].filter(Boolean).join(', ')}`,
    );
    return refused.reduce((sum, { count }) => sum + count, 0);
  } finally {
    await producer.disconnect();
    await clickhouse.close();
  }
}

/** Sends both files. They are read to their ends before, so that it is known how much there is. */
async function sendFiles(
  { environment, options, dir, progress, signal }: Replay,
  settings: Settings,
  producer: Awaited<ReturnType<typeof connectProducer>>,
): Promise<SentLines> {
  const gracePeriodMs = Math.min(
    settings.ofOthers.gracePeriodMs,
    ...settings.configuredModels.map(model => settings.of(model).gracePeriodMs),
  );
  const spooled = (kind: InputKind, path: string) => {
    const file = { path, kind, mapping: replayMapping(kind, options) };
    return spoolFile(file, join(dir, `${kind}.spool`), gracePeriodMs, progress, signal);
  };
  const predictions = await spooled('prediction', options.predictions);
  const feedback =
    options.feedback === undefined ? null : await spooled('feedback', options.feedback);
  const lines = predictions.spool.lines + (feedback?.spool.lines ?? 0);
  const source = ({ spool, order }: SpooledFile, topic: string) => ({
    lines: spool.read(order),
    topic: prefixed(environment, topic),
  });
  try {
    return await sendLines({
      producer,
      predictions: source(predictions, topics.predictions),
      ...(feedback && { feedback: source(feedback, topics.feedback) }),
      signal,
      onSent: sent =>
        progress.update(`sending: ${countOf(sent)}`, (sent.predictions + sent.feedback) / lines),
    });
  } finally {
    predictions.spool.close();
    feedback?.spool.close();
  }
}

function countOf({ predictions, feedback }: SentLines): string {
  return `${predictions.toLocaleString('en')} predictions, ${feedback.toLocaleString('en')} feedback`;
}

async function settle(
  { admin, environment, progress, signal }: Replay,
  services: readonly ServiceName[],
): Promise<void> {
  /** The largest lag of each service. The lag of those behind it grows while it works. */
  const largest = new Map<string, number>();
  await waitUntilQuiet({
    admin,
    environment,
    services,
    signal,
    onWaiting: (service, lag) => {
      largest.set(service, Math.max(lag, largest.get(service) ?? 0));
      progress.update(
        `processing: ${service} has ${lag.toLocaleString('en')} records to go`,
        1 - lag / largest.get(service)!,
      );
    },
  });
}
