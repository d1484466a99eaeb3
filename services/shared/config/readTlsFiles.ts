import { readFileSync } from 'node:fs';
import { UserError } from '../userError.ts';
import type { Environment } from './environment.ts';

/** Certificates of a connection, in PEM. */
export interface TlsFiles {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
}

/**
 * Reads the certificates that environment variables name.
 * @param variables what the names of the variables begin with, such as SCHEMA_REGISTRY
 * @throws UserError that names the variable of a file that cannot be read
 */
export function readTlsFiles(
  environment: Environment,
  variables: 'KAFKA_SSL' | 'SCHEMA_REGISTRY' | 'CLICKHOUSE',
): TlsFiles {
  const found: TlsFiles = {};
  for (const [name, variable] of [
    ['ca', `${variables}_CA_FILE`],
    ['cert', `${variables}_CERT_FILE`],
    ['key', `${variables}_KEY_FILE`],
  ] as const) {
    const path = environment[variable];
    if (path === undefined) continue;
    try {
      found[name] = readFileSync(path);
    } catch (error) {
      throw new UserError(
        `environment variable ${variable}: ${path} cannot be read: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }
  return found;
}
