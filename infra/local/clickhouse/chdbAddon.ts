import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Opaque handle of the engine. */
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
  /** Connections to one folder share its data. Each has its own settings, parameters, database. */
  CreateConnection(folder: string): ChdbConnection;
  CloseConnection(connection: ChdbConnection): void;
  /** Runs a query on a thread of libuv's pool. A connection runs one query at a time. */
  QueryAsyncConnection(
    connection: ChdbConnection,
    sql: string,
    format: string,
  ): Promise<ChdbResult>;
}

const require = createRequire(import.meta.url);

/**
 * The native part of the package chdb. Its class Session is not used, because closing a Session
 * waits for the queries of all others: one long query kept the memory of thousands of short ones
 * (0.4 MB each).
 */
export const chdbAddon: ChdbAddon = require(
  join(dirname(require.resolve('chdb')), 'dist', 'loader.js'),
).loadNative();
