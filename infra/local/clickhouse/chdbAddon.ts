import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Opaque handle of the engine's. */
export type ChdbConnection = object;

export interface ChdbResult {
  /** The result in the requested format. */
  bytes: Uint8Array;
  /** Seconds. */
  elapsed: number;
  rowsRead: number;
  bytesRead: number;
}

interface ChdbAddon {
  /** Connections to one folder share its data; each has settings, parameters and a database of its own. */
  CreateConnection(folder: string): ChdbConnection;
  CloseConnection(connection: ChdbConnection): void;
  /** Runs on a thread of libuv's pool. One query at a time per connection. */
  QueryAsyncConnection(
    connection: ChdbConnection,
    sql: string,
    format: string,
  ): Promise<ChdbResult>;
}

const require = createRequire(import.meta.url);

/**
 * The native part of the package chdb, without its class Session: closing a Session waits for the queries of all others, so that one
 * long query held the memory of thousands of short ones (0.4 MB each).
 */
export const chdbAddon: ChdbAddon = require(
  join(dirname(require.resolve('chdb')), 'dist', 'loader.js'),
).loadNative();
