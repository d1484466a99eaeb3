import { type Command, InvalidArgumentError } from 'commander';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { type Environment, readEnvironment } from '../../services/shared/config/environment.ts';
import { UserError } from '../../services/shared/userError.ts';
import { withClickhouse } from '../servers/withServers.ts';
import { formatTable } from '../terminal/formatTable.ts';
import { parseTime } from '../terminal/parseTime.ts';
import { printable } from '../terminal/printable.ts';
import { wholeNumber } from '../terminal/wholeNumber.ts';
import { comparedVersions, figuresNote } from '../versions/comparedVersions.ts';
import { type MetricCondition, metricCondition } from '../versions/metricCondition.ts';
import { type PersonsRequest, requestVersion } from '../versions/requestVersion.ts';
import {
  type HistoryRow,
  type RequestRow,
  selectChampion,
  selectHistory,
  selectRequests,
  selectVersions,
  type VersionFilter,
  type VersionRow,
} from '../versions/versionQueries.ts';
import { addVersionFileCommands } from './versionFiles.ts';

const states =
  'candidate, shadow, waiting_for_approval, approved, champion, superseded, rolled_back, rejected, retired';

export function addVersionsCommand(program: Command): void {
  const command = program
    .command('versions')
    .description('Show model versions, approve or reject them, and go back to earlier ones.');
  addSearch(command);
  addShow(command);
  addCompare(command);
  addRequests(command);
  addVersionFileCommands(command);
}

function addSearch(command: Command): void {
  command
    .command('list')
    .argument('[model]', 'name of the model; without it, all models')
    .description('Show the versions and where they stand, the newest change first.')
    .option('--state <state>', `only versions in this state: ${states}`)
    .option('--limit <number>', 'show at most this many', wholeNumber, 50)
    .option('--json', 'print one JSON object per line')
    .action((model: string | undefined, options: VersionFilter & { json?: boolean }) =>
      runSearch({ ...options, ...(model !== undefined && { model }) }),
    );
  command
    .command('search')
    .description('Show the versions that fit all conditions, the newest change first.')
    .option('--model <model>', 'of this model')
    .option('--state <state>', `in this state: ${states}`)
    .option('--metric <condition>', 'with this figure of the gates', metric)
    .option('--feature <name>', 'trained on this feature')
    .option('--dataset <id>', 'trained on this dataset; the beginning of its id suffices')
    .option(
      '--cause <cause>',
      'made because of it: drift_event, schedule, manual, data_drift, an id',
    )
    .option('--since <time>', 'in this state since then or later, such as 2026-01-31', parseTime)
    .option('--until <time>', 'in this state since before then', parseTime)
    .option('--limit <number>', 'show at most this many', wholeNumber, 50)
    .option('--json', 'print one JSON object per line')
    .addHelpText(
      'after',
      `
Examples:
  driftloop versions search --model churn --metric 'challengerLoss<0.2' --state rejected
  driftloop versions search --feature age --cause concept_drift --since 2026-01-31`,
    )
    .action(runSearch);
}

function addShow(command: Command): void {
  command
    .command('show')
    .argument('<model>', 'name of the model')
    .argument('<version>', 'version')
    .description('Show a version with its origin, its figures, its history and its requests.')
    .option('--json', 'print all of it as one JSON object')
    .action(runShow);
}

function addCompare(command: Command): void {
  command
    .command('compare')
    .argument('<model>', 'name of the model')
    .argument('<first>', 'version')
    .argument('<second>', 'another version')
    .description('Show two versions beside each other.')
    .option('--json', 'print one JSON object per property')
    .action(runCompare);
}

interface RequestOptions {
  note: string;
  timeout: number;
  to?: string;
}

function addRequests(command: Command): void {
  const verbs = {
    approve: 'Make a version that waits for approval the champion.',
    reject: 'Reject a version that waits for approval.',
    retire: 'Take a former champion, or a version that waits, out of use for good.',
  };
  for (const [action, description] of Object.entries(verbs)) {
    withRequestOptions(command.command(action))
      .argument('<model>', 'name of the model')
      .argument('<version>', 'version')
      .description(description)
      .action((model: string, version: string, options: RequestOptions) =>
        runRequest(readEnvironment(), options, {
          model,
          version,
          action: action as PersonsRequest['action'],
          expectedChampion: null,
          note: options.note,
        }),
      );
  }
  withRequestOptions(command.command('rollback'))
    .argument('<model>', 'name of the model')
    .description('Make an earlier champion the champion again.')
    .option('--to <version>', 'the version to go back to; without it, the one before')
    .addHelpText(
      'after',
      `
The retrainer answers requests one after the other. A rollback is refused if somebody else has
changed the champion meanwhile. What was rolled back is not promoted again, and neither is a version
that was trained on the same rows.

Examples:
  driftloop versions rollback churn --note 'complaints from Spain'
  driftloop versions rollback churn --to 3 --note 'the last one that was audited'`,
    )
    .action(runRollback);
}

function withRequestOptions(command: Command): Command {
  return command
    .requiredOption('--note <text>', 'why; it is kept with the request')
    .option('--timeout <seconds>', 'wait at most this long for the answer', wholeNumber, 60);
}

function metric(text: string): MetricCondition {
  const condition = metricCondition(text);
  if (condition === null)
    throw new InvalidArgumentError("expected a condition such as 'challengerLoss<0.2'");
  return condition;
}

async function runSearch({ json, ...filter }: VersionFilter & { json?: boolean }): Promise<void> {
  const rows = await withClickhouse(readEnvironment(), clickhouse =>
    selectVersions(clickhouse, filter),
  );
  if (json) for (const row of rows) console.log(JSON.stringify(row));
  else if (rows.length === 0) console.log('no versions');
  else console.log(formatTable(rows.map(tableRow)));
}

function tableRow({ aliases, metrics, ...row }: VersionRow) {
  const { model, version, state, since, changedBy, causeType, driftCause, datasetRows } = row;
  return {
    model,
    version,
    state,
    aliases: aliases.length > 0 ? aliases.join(', ') : null,
    since,
    by: changedBy,
    cause: driftCause ?? causeType,
    rows: datasetRows,
    'champion loss': figure(metrics.championLoss),
    'challenger loss': figure(metrics.challengerLoss),
  };
}

function figure(value: number | undefined): string | null {
  return value === undefined ? null : value.toPrecision(4);
}

interface ShownVersion extends VersionRow {
  history: HistoryRow[];
  requests: RequestRow[];
}

async function runShow(
  model: string,
  version: string,
  { json }: { json?: boolean },
): Promise<void> {
  const shown = await withClickhouse(
    readEnvironment(),
    async (clickhouse): Promise<ShownVersion> => {
      const row = await knownVersion(clickhouse, model, version);
      const history = await selectHistory(clickhouse, model, version);
      return { ...row, history, requests: await selectRequests(clickhouse, model, version) };
    },
  );
  console.log(json ? JSON.stringify(shown, null, 2) : versionText(shown));
}

/** @throws UserError if there is no such version */
async function knownVersion(
  clickhouse: Clickhouse,
  model: string,
  version: string,
): Promise<VersionRow> {
  const [row] = await selectVersions(clickhouse, { model, version, limit: 1 });
  if (row) return row;
  throw new UserError(
    `no version ${JSON.stringify(version)} of model ${JSON.stringify(model)} is known; "driftloop versions list" shows all`,
  );
}

async function runCompare(
  model: string,
  first: string,
  second: string,
  { json }: { json?: boolean },
): Promise<void> {
  const [one, other] = await withClickhouse(readEnvironment(), clickhouse =>
    Promise.all([first, second].map(version => knownVersion(clickhouse, model, version))),
  );
  const rows = comparedVersions(one!, other!);
  if (json) for (const row of rows) console.log(JSON.stringify(row));
  else {
    const named = rows.map(row => ({
      property: row.property,
      [`version ${first}`]: row.first,
      [`version ${second}`]: row.second,
    }));
    console.log(`${formatTable(named)}\n\n${figuresNote(one!, other!)}`);
  }
}

function versionText({ history, requests, reasons, metrics, ...version }: ShownVersion): string {
  const fields = Object.entries(version).flatMap(([name, value]) => {
    const text = Array.isArray(value) ? value.join(', ') : String(value ?? '');
    return text === '' ? [] : [`${name.padEnd(17)} ${printable(text)}`];
  });
  const section = (title: string, lines: readonly string[]) =>
    lines.length > 0 ? [`\n${title}`, ...lines] : [];
  return [
    ...fields,
    ...section('GATES', reasons.map(printable)),
    ...section(
      'FIGURES',
      Object.entries(metrics).map(([name, value]) => `${printable(name)} ${value}`),
    ),
    ...section('HISTORY', history.length > 0 ? [formatTable(history.map(historyRow))] : []),
    ...section('REQUESTS', requests.length > 0 ? [formatTable(requests.map(requestRow))] : []),
  ].join('\n');
}

function historyRow({ at, state, changedBy, reason, note }: HistoryRow) {
  return { at, state, by: changedBy, reason, note };
}

function requestRow({ at, action, requestedBy, outcome, answer, note }: RequestRow) {
  return { at, action, by: requestedBy, outcome, answer, note };
}

async function runRollback(model: string, { to, ...options }: RequestOptions): Promise<void> {
  const environment = readEnvironment();
  const champion = await withClickhouse(environment, clickhouse =>
    selectChampion(clickhouse, model),
  );
  await runRequest(environment, options, {
    model,
    action: 'rollback',
    version: to ?? null,
    expectedChampion: champion,
    note: options.note,
  });
}

async function runRequest(
  environment: Environment,
  { timeout }: Pick<RequestOptions, 'timeout'>,
  request: PersonsRequest,
): Promise<void> {
  const { answer } = await requestVersion(environment, request, timeout * 1000);
  console.log(answer);
}
