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
    .description('Read predictions and feedback again, and make the tables what they must be.')
    .requiredOption(
      '--from <time>',
      'event time such as 2026-01-31T00:00:00Z, or "beginning": as far back as the topics reach',
    )
    .option(
      '--dry-run',
      'say what would be read and which rows would be made anew, and change nothing',
    )
    .addHelpText(
      'after',
      `
For tables that were lost or damaged, counts that an earlier release got wrong, and settings (window, segments) that are to hold
for the past too. Give it the environment and settings of the services. They may run: they pause for the moment in which the rows
are moved, and judge the windows again afterwards. Readers see no gap.

Windows that start before --from stay as they are. Rows of predictions, window_profiles, window_samples, outcomes, performance_windows
and, from the beginning, stream_progress that do not follow from the topics are removed.

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

/** @returns null for the beginning */
function eventTimeMs(text: string): number | null {
  if (text === 'beginning') return null;
  const timeMs = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(timeMs) || timeMs > Date.now()) {
    throw new UserError(
      `--from: expected a time of the past with its zone, such as 2026-01-31T00:00:00Z, or "beginning" (got ${JSON.stringify(text)})`,
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
      ? 'the topics hold everything: all windows are made anew'
      : `windows that start at ${new Date(fromMs).toISOString()} or later are made anew`;
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
