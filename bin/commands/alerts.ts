import { randomUUID } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import type { AlertRequest } from '../../services/shared/contracts.ts';
import { parseDurationMs } from '../../services/shared/duration.ts';
import { UserError } from '../../services/shared/userError.ts';
import { answerTo } from '../servers/answerTo.ts';
import { publishRequest, requestedBy } from '../servers/publishRequest.ts';
import { requireServer } from '../servers/requireServer.ts';
import { withClickhouse } from '../servers/withServers.ts';
import { formatTable } from '../terminal/formatTable.ts';
import { printable } from '../terminal/printable.ts';
import { wholeNumber } from '../terminal/wholeNumber.ts';

export function addAlertsCommand(program: Command): void {
  const command = program
    .command('alerts')
    .description('Show alerts, and say who has them or that they are done with.');
  command
    .command('list')
    .argument('[model]', 'name of the model; without it, all models')
    .description('Show the open alerts, the newest first.')
    .option('--all', 'resolved ones as well')
    .option('--limit <number>', 'show at most this many', wholeNumber, 50)
    .action(runList);
  command
    .command('show')
    .argument('<alert>', 'id of the alert')
    .description('Show an alert, its drift events, and what people have done with it.')
    .action(runShow);
  addAct(command, 'ack', 'Say that you have an alert.', 'acknowledge');
  addAct(command, 'unack', 'Say that nobody has an alert any more.', 'unacknowledge');
  actOf(command, 'snooze', 'Have nobody told of an alert for a while, or until it gets worse.')
    .requiredOption('--for <duration>', 'how long, such as 4h or 2d', duration)
    .option('--note <text>', 'why; it is kept with the request')
    .action((id: string, options: ActOptions & { for: number }) =>
      runAct(id, 'snooze', options, Date.now() + options.for),
    );
  actOf(command, 'resolve', 'Resolve an alert; it comes back with something new or worse.')
    .requiredOption('--note <text>', 'why; it is kept with the request')
    .action((id: string, options: ActOptions) => runAct(id, 'resolve', options));
  addAct(
    command,
    'not-useful',
    'Count an alert as not useful, which changes nothing by itself.',
    'not_useful',
  );
  command.addHelpText(
    'after',
    `
Examples:
  driftloop alerts ack 9f2c5a1e0b3d4c5f6a7b8c9d0e1f2a3b --note 'asking the tariff team'
  driftloop alerts snooze 9f2c5a1e0b3d4c5f6a7b8c9d0e1f2a3b --for 2d`,
  );
}

interface ActOptions {
  note?: string;
  timeout: number;
}

function actOf(command: Command, name: string, description: string): Command {
  return command
    .command(name)
    .argument('<alert>', 'id of the alert')
    .description(description)
    .option('--timeout <seconds>', 'wait at most this long for the answer', wholeNumber, 60);
}

function addAct(
  command: Command,
  name: string,
  description: string,
  action: AlertRequest['action'],
): void {
  actOf(command, name, description)
    .option('--note <text>', 'why; it is kept with the request')
    .action((id: string, options: ActOptions) => runAct(id, action, options));
}

function duration(text: string): number {
  const milliseconds = parseDurationMs(text);
  if (milliseconds === null || milliseconds <= 0)
    throw new InvalidArgumentError('Expected a duration such as 4h or 2d.');
  return milliseconds;
}

async function runAct(
  alertId: string,
  action: AlertRequest['action'],
  { note = null, timeout }: Omit<ActOptions, 'note'> & { note?: string | null },
  until: number | null = null,
): Promise<void> {
  const environment = readEnvironment();
  await requireServer(environment, 'SCHEMA_REGISTRY_URL');
  const { model } = await withClickhouse(environment, clickhouse => alertOf(clickhouse, alertId));
  const request: AlertRequest = {
    ...{ id: randomUUID(), model, action, alertId, until },
    ...{ requestedBy: requestedBy(), note, time: Date.now() },
  };
  await publishRequest(environment, 'AlertRequest', request);
  console.log(await answerTo(environment, 'alert_requests', request, timeout));
}

interface AlertRow {
  id: string;
  model: string;
  version: string;
  state: string;
  severity: string;
  title: string;
  notice: string | null;
  opened: string;
  happened: string | null;
  acknowledgedBy: string | null;
  snoozedUntil: string | null;
  note: string | null;
  endReason: string | null;
  driftEventIds: string[];
}

const columns = `id, model, version, toString(state) AS state, toString(severity) AS severity,
  title, notice, formatDateTime(opened_at_event_time, '%F %R') AS opened, happened,
  acknowledged_by AS acknowledgedBy, formatDateTime(snoozed_until, '%F %R') AS snoozedUntil,
  note, end_reason AS endReason, drift_event_ids AS driftEventIds`;

async function alertOf(clickhouse: Clickhouse, id: string): Promise<AlertRow> {
  const [alert] = await clickhouse.select<AlertRow>(
    `SELECT ${columns} FROM alerts FINAL WHERE id = {id:String}`,
    { id },
  );
  if (!alert)
    throw new UserError(`no alert has the id ${id}; "driftloop alerts list --all" shows all`);
  return alert;
}

async function runList(
  model: string | undefined,
  { all = false, limit }: { all?: boolean; limit: number },
): Promise<void> {
  const rows = await withClickhouse(readEnvironment(), clickhouse =>
    clickhouse.select<AlertRow>(
      `SELECT ${columns} FROM alerts FINAL
       WHERE ({model:String} = '' OR model = {model:String}) AND ({all:Bool} OR state != 'resolved')
       ORDER BY opened_at_event_time DESC, id LIMIT {limit:UInt32}`,
      { model: model ?? '', all, limit },
    ),
  );
  if (rows.length === 0) {
    console.log(all ? 'There are no alerts.' : 'There are no open alerts.');
    return;
  }
  const lines = rows.map(({ id, severity, opened, title, ...alert }) => ({
    id,
    severity,
    opened,
    standing: standingOf(alert),
    title,
  }));
  console.log(formatTable(lines));
}

/** Says in a word or two where an alert stands. */
function standingOf({
  state,
  endReason,
  acknowledgedBy,
  snoozedUntil,
}: Pick<AlertRow, 'state' | 'endReason' | 'acknowledgedBy' | 'snoozedUntil'>): string {
  if (state === 'resolved') return endReason === null ? 'resolved' : `resolved (${endReason})`;
  const parts = [
    ...(acknowledgedBy === null ? [] : [`acknowledged by ${acknowledgedBy}`]),
    ...(snoozedUntil === null ? [] : [`snoozed until ${snoozedUntil} UTC`]),
  ];
  return parts.length > 0 ? parts.join(', ') : 'open';
}

async function runShow(id: string): Promise<void> {
  await withClickhouse(readEnvironment(), async clickhouse => {
    const alert = await alertOf(clickhouse, id);
    const events = await clickhouse.select<Record<string, string | null>>(
      `SELECT id AS event, toString(cause) AS cause, segment, toString(status) AS status,
              formatDateTime(window_start, '%F %R') AS since, end_reason AS ended, explanation
       FROM drift_events FINAL WHERE id IN {ids:Array(String)} ORDER BY window_start`,
      { ids: alert.driftEventIds },
    );
    const requests = await clickhouse.select<Record<string, string | null>>(
      `SELECT formatDateTime(answered_at, '%F %R') AS time, requested_by AS who, action, outcome, note
       FROM alert_requests FINAL WHERE model = {model:String} AND alert_id = {id:String}
       ORDER BY answered_at`,
      { model: alert.model, id },
    );
    const { severity, title, opened, notice } = alert;
    console.log(printable(title));
    console.log(`${severity}, ${standingOf(alert)}, opened at ${opened} UTC`);
    if (notice !== null) console.log(`Notice: ${printable(notice)}`);
    for (const { explanation, ...event } of events) {
      console.log(`\n${formatTable([event])}`);
      console.log(printable(explanation ?? ''));
    }
    if (requests.length > 0) console.log(`\n${formatTable(requests)}`);
  });
}
