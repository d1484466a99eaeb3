import type { Command } from 'commander';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import { withClickhouse, withKafka } from '../servers/withServers.ts';
import { formatTable } from '../terminal/formatTable.ts';
import {
  type ModelStatus,
  type OpenNotice,
  readDeadLetterCounts,
  readModelStatus,
  readOpenDriftEvents,
  readOpenNotices,
  readServiceStatus,
  type SystemStatus,
} from './systemStatus.ts';

type Rows = Parameters<typeof formatTable>[0];

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description(
      'Show what runs and how far it is, the models, drift events, notices, dead letters.',
    )
    .option('--json', 'print all of it as one JSON object')
    .addHelpText(
      'after',
      `
SERVICES           replicas: running processes of a service; lag: records it has not processed yet
MODELS             watermark: event time up to which all predictions are expected to have come
OPEN DRIFT EVENTS  what has changed and is not over
NOTICES            what is odd in how a model is logged, and what to do about it
DEAD LETTERS       records that could not be used; "driftloop dead-letters list" shows the reasons

Examples:
  driftloop status
  driftloop status --json | jq '.services[] | select(.members == 0)'`,
    )
    .action(runStatus);
}

async function runStatus(options: { json?: boolean }): Promise<void> {
  const status = await readStatus();
  console.log(options.json ? JSON.stringify(status, null, 2) : statusText(status));
}

async function readStatus(): Promise<SystemStatus> {
  const environment = readEnvironment();
  const settings = readSettings(environment.DRIFTLOOP_CONFIG);
  const services = await withKafka(environment, (_, admin) =>
    readServiceStatus(admin, environment),
  );
  return withClickhouse(environment, async clickhouse => ({
    services,
    models: await readModelStatus(clickhouse, settings),
    openDriftEvents: await readOpenDriftEvents(clickhouse),
    notices: await readOpenNotices(clickhouse),
    deadLetters: await readDeadLetterCounts(clickhouse),
  }));
}

function statusText(status: SystemStatus): string {
  const { services, models, openDriftEvents, notices, deadLetters } = status;
  return [
    section('SERVICES', services.map(serviceRow)),
    section('MODELS', models.map(modelRow), 'no prediction has been seen yet'),
    section('OPEN DRIFT EVENTS', openDriftEvents.map(driftEventRow)),
    section('NOTICES', notices.map(noticeRow)),
    section(
      'DEAD LETTERS',
      deadLetters.map(letter => ({ ...letter })),
    ),
  ].join('\n\n');
}

function section(title: string, rows: Rows, none = 'none'): string {
  return `${title}\n${rows.length > 0 ? formatTable(rows) : none}`;
}

function serviceRow({ service, members, state, lag }: SystemStatus['services'][number]) {
  const lags = Object.entries(lag).map(([topic, records]) => `${topic} ${records}`);
  return { service, replicas: members, state, lag: lags.join(', ') };
}

function modelRow(row: ModelStatus) {
  const { model, version, status, predictions, labelled, output, watermark, lastWindow } = row;
  return {
    model,
    version,
    status,
    predictions,
    labelled,
    output,
    watermark,
    'last window':
      lastWindow && `${lastWindow.start} ${lastWindow.status} (${lastWindow.records} records)`,
    quality: quality(row),
  };
}

function quality({ lastAccuracy, lastMae }: ModelStatus): string | null {
  if (lastAccuracy !== null) return `accuracy ${lastAccuracy.toFixed(4)}`;
  return lastMae === null ? null : `MAE ${lastMae.toPrecision(4)}`;
}

function driftEventRow(event: SystemStatus['openDriftEvents'][number]) {
  const { id, model, version, cause, severity, since, explanation } = event;
  const { persistingSince, standing } = event;
  return {
    event: id,
    model,
    version,
    cause,
    severity,
    since,
    'persisting since': persistingSince,
    explanation: standing === null ? explanation : `${standing} ${explanation}`,
  };
}

function noticeRow({ model, version, since, message, evidence, advice }: OpenNotice) {
  return { model, version, since, notice: [message, evidence, advice].join(' ') };
}
