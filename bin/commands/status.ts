import type { Command } from 'commander';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import { withClickhouse, withKafka } from '../servers/withServers.ts';
import { formatTable } from '../terminal/formatTable.ts';
import {
  readDeadLetterCounts,
  readModelStatus,
  readOpenDriftEvents,
  readServiceStatus,
  type SystemStatus,
} from './systemStatus.ts';

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description(
      'Services and their lag, models and their last windows, open drift events, dead letters.',
    )
    .option('--json', 'all of it as one JSON object')
    .addHelpText(
      'after',
      `
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
    deadLetters: await readDeadLetterCounts(clickhouse),
  }));
}

function statusText({ services, models, openDriftEvents, deadLetters }: SystemStatus): string {
  const section = (title: string, rows: Parameters<typeof formatTable>[0], none: string) =>
    `${title}\n${rows.length > 0 ? formatTable(rows) : none}`;
  return [
    section(
      'SERVICES',
      services.map(({ service, state, members, lag }) => ({
        service,
        replicas: members,
        state,
        lag: Object.entries(lag)
          .map(([topic, records]) => `${topic} ${records}`)
          .join(', '),
      })),
      'none',
    ),
    section(
      'MODELS',
      models.map(
        ({
          model,
          version,
          status,
          predictions,
          labelled,
          watermark,
          lastWindow,
          lastAccuracy,
          lastMae,
        }) => ({
          model,
          version,
          status,
          predictions,
          labelled,
          watermark,
          'last window':
            lastWindow &&
            `${lastWindow.start} ${lastWindow.status} (${lastWindow.records} records)`,
          quality: quality(lastAccuracy, lastMae),
        }),
      ),
      'none seen yet',
    ),
    section(
      'OPEN DRIFT EVENTS',
      openDriftEvents.map(({ model, version, cause, severity, since, explanation }) => ({
        model,
        version,
        cause,
        severity,
        since,
        explanation,
      })),
      'none',
    ),
    section(
      'DEAD LETTERS',
      deadLetters.map(letter => ({ ...letter })),
      'none',
    ),
  ].join('\n\n');
}

function quality(accuracy: number | null, mae: number | null): string | null {
  if (accuracy !== null) return `accuracy ${accuracy.toFixed(4)}`;
  return mae === null ? null : `MAE ${mae.toPrecision(4)}`;
}
