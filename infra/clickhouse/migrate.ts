import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import { UserError } from '../../services/shared/userError.ts';

const folder = new URL('./', import.meta.url);

interface Migration {
  name: string;
  checksum: string;
  statements: string[];
}

function readMigrations(): Migration[] {
  return readdirSync(folder)
    .filter(file => file.endsWith('.sql'))
    .sort()
    .map(name => {
      const text = readFileSync(new URL(name, folder), 'utf8');
      const statements = text
        .split(/;\s*$/m)
        .map(statement => statement.replace(/^\s*--.*$/gm, '').trim())
        .filter(statement => statement !== '');
      return { name, checksum: createHash('sha256').update(text).digest('hex'), statements };
    });
}

/**
 * Creates the database if it is missing, and applies the migrations that it has not had.
 * Idempotent.
 * @returns the names of the migrations that were applied now
 * @throws UserError if a migration has changed since it was applied
 */
export async function migrate(environment: Environment): Promise<string[]> {
  const database = environment.CLICKHOUSE_DATABASE;
  const anyDatabase = connectClickhouse(environment, { retry: false }, 'default');
  await anyDatabase
    .command(`CREATE DATABASE IF NOT EXISTS ${database}`)
    .finally(() => anyDatabase.close());

  const clickhouse = connectClickhouse(environment, { retry: false });
  try {
    await clickhouse.command(
      `CREATE TABLE IF NOT EXISTS schema_migrations
       (name String COMMENT 'File', checksum String COMMENT 'SHA-256 of it', applied_at DateTime DEFAULT now() COMMENT 'Wall clock')
       ENGINE = ReplacingMergeTree ORDER BY name COMMENT 'Migrations that this database has had'`,
    );
    const known = new Map(
      (
        await clickhouse.select<{ name: string; checksum: string }>(
          'SELECT name, checksum FROM schema_migrations FINAL',
        )
      ).map(row => [row.name, row.checksum]),
    );
    const applied: string[] = [];
    for (const migration of readMigrations()) {
      const checksum = known.get(migration.name);
      if (checksum === migration.checksum) continue;
      if (checksum !== undefined) {
        throw new UserError(
          `migration ${migration.name} has changed since it was applied to database ${database}: undo the change, and add a new migration instead`,
        );
      }
      for (const statement of migration.statements) {
        // A migration that was cut off is applied again from its start, so what it made exists.
        await clickhouse.command(
          statement.replace(/^CREATE (TABLE|VIEW) (?!IF NOT EXISTS)/, 'CREATE $1 IF NOT EXISTS '),
        );
      }
      await clickhouse.insert('schema_migrations', [
        { name: migration.name, checksum: migration.checksum },
      ]);
      applied.push(migration.name);
    }
    return applied;
  } finally {
    await clickhouse.close();
  }
}
