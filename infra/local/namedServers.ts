import { UserError } from '../../services/shared/userError.ts';

const names = ['KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL', 'CLICKHOUSE_URL'] as const;

/** Environment variables that name the servers. */
export type ServerVariables = Record<(typeof names)[number], string>;

/**
 * Returns the servers that environment variables name, or null if they name none.
 * @throws UserError if they name some of the three servers only
 */
export function namedServers(
  variables: Record<string, string | undefined> = process.env,
): ServerVariables | null {
  const given = names.filter(name => variables[name]);
  if (given.length === 0) return null;
  if (given.length < names.length) {
    const missing = names.filter(name => !variables[name]);
    throw new UserError(
      `${given.join(' and ')} set, but not ${missing.join(' and ')}: set all three to use servers that run, or none to start new ones`,
    );
  }
  return Object.fromEntries(names.map(name => [name, variables[name]!])) as ServerVariables;
}
