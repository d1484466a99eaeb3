import type { Command } from 'commander';
import { migrate } from '../../infra/clickhouse/migrate.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { requireServer } from '../servers/requireServer.ts';

export function addMigrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('Create the database and its tables, or bring them up to date. Safe to repeat.')
    .addHelpText(
      'after',
      `
Example:
  CLICKHOUSE_URL=http://clickhouse:8123 CLICKHOUSE_DATABASE=driftloop driftloop migrate`,
    )
    .action(runMigrate);
}

async function runMigrate(): Promise<void> {
  const environment = readEnvironment();
  await requireServer(environment, 'CLICKHOUSE_URL');
  const applied = await migrate(environment);
  for (const name of applied) console.log(`applied  ${name}`);
  if (applied.length === 0)
    console.log(`database ${environment.CLICKHOUSE_DATABASE} is up to date`);
}
