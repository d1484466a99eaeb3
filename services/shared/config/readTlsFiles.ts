import { readFileSync } from 'node:fs';
import { UserError } from '../userError.ts';

/** Certificates of a connection, in PEM. */
export interface TlsFiles {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
}

/**
 * Reads the certificates that environment variables name.
 * @param files path of each file by its variable, such as KAFKA_SSL_CA_FILE
 * @throws UserError that names the variable of a file that cannot be read
 */
export function readTlsFiles(files: {
  ca?: [variable: string, path: string | undefined];
  cert?: [variable: string, path: string | undefined];
  key?: [variable: string, path: string | undefined];
}): TlsFiles {
  const found: TlsFiles = {};
  for (const [name, [variable, path]] of Object.entries(files)) {
    if (path === undefined) continue;
    try {
      found[name as keyof TlsFiles] = readFileSync(path);
    } catch (error) {
      throw new UserError(
        `environment variable ${variable}: ${path} cannot be read: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }
  return found;
}
