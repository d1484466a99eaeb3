import type { Command } from 'commander';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import { UserError } from '../../services/shared/userError.ts';
import { count, inScope, movedTables } from '../rebuild/moveRows.ts';
import { type RebuildPlan, rebuildPlan } from '../rebuild/rebuildPlan.ts';
import { runRebuild } from '../rebuild/runRebuild.ts';
import { requireServer } from '../servers/requireServer.ts';
import { withClickhouse, withKafka } from '../servers/withServers.ts';
import { formatTable } from '../terminal/formatTable.ts';
import { interruption } from '../terminal/interruption.ts';
import { startProgress } from '../terminal/progress.ts';

interface RebuildOptions {
  from: string;
  dryRun?: boolean;
}

export function addRebuildCommand(program: Command): void {
  program
    .command('rebuild')
    .description('Read predictions and feedback again, and correct the tables.')
    .requiredOption(
      '--from <time>',
      'event time such as 2026-01-31T00:00:00Z, or "beginning" for all that the topics hold',
    )
    .option('--dry-run', 'only say what would be read and which rows would be replaced')
    .addHelpText(
      'after',
      `
Use it when tables were lost or damaged, when an earlier release has counted wrongly, or to apply
new settings (window, segments) to the past. Give it the environment and the settings file of the
services. Services may run: they pause while the rows are moved, and judge the windows again
afterwards. Readers of the tables see no gap.

Windows that start before --from stay as they are. For later ones, rows that do not follow from the
topics are removed from predictions, window_profiles, window_samples, outcomes and
performance_windows, and with "beginning" from stream_progress too.

Examples:
  driftloop rebuild --from 2026-01-31T00:00:00Z --dry-run
  driftloop rebuild --from beginning`,
    )
    .action(runRebuildCommand);
}

async function runRebuildCommand(options: RebuildOptions): Promise<void> {
  const from = eventTimeMs(options.from);
  const environment = readEnvironment();
  readSettings(environment.DRIFTLOOP_CONFIG);
  await requireServer(environment, 'SCHEMA_REGISTRY_URL');
  const signal = interruption();
  await withKafka(environment, (kafka, admin) =>
    withClickhouse(environment, async clickhouse => {
      const plan = await rebuildPlan(kafka, admin, clickhouse, environment, from);
      console.log(await planText(clickhouse, plan));
      if (options.dryRun) return;
      const rebuild = {
        environment,
        kafka,
        admin,
        clickhouse,
        plan,
        progress: startProgress(),
        signal,
      };
      const { moved } = await runRebuild(rebuild);
      console.log(`\n${formatTable(moved.map(rows => ({ ...rows })))}`);
    }),
  );
}

/** Reads the option --from. @returns null for "beginning" */
function eventTimeMs(text: string): number | null {
  if (text === 'beginning') return null;
  const timeMs = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(timeMs) || timeMs > Date.now()) {
    throw new UserError(
      `--from: expected a time in the past with its zone, such as 2026-01-31T00:00:00Z, or "beginning" (got ${JSON.stringify(text)})`,
    );
  }
  return timeMs;
}

async function planText(
  clickhouse: Clickhouse,
  { partitions, fromMs }: RebuildPlan,
): Promise<string> {
  const scope =
    fromMs === null
      ? 'the topics hold everything, so all windows are computed again'
      : `windows that start at ${new Date(fromMs).toISOString()} or later are computed again`;
  const tables = [];
  for (const { table, timeColumn } of movedTables)
    tables.push({
      table,
      'rows now': await count(clickhouse, `${table} FINAL WHERE ${inScope(timeColumn, fromMs)}`),
    });
  const reading = partitions.map(({ topic, partition, fromOffset, endOffset }) => {
    return {
      topic,
      partition,
      'from offset': fromOffset,
      'to offset': endOffset,
      records: endOffset - fromOffset,
    };
  });
  return [formatTable(reading), scope, formatTable(tables)].join('\n\n');
}
