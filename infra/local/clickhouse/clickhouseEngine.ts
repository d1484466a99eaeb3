import { randomUUID } from 'node:crypto';
import { createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ChdbConnection, type ChdbResult, chdbAddon } from './chdbAddon.ts';
import {
  ClickhouseFailure,
  type ClickhouseRequest,
  connectionPrelude,
} from './clickhouseRequest.ts';
import { forbiddenAccess } from './forbiddenAccess.ts';
import { type InsertStatement, insertFromFile } from './insertStatement.ts';
import { statementCount } from './statementCount.ts';
import { Turns } from './turns.ts';

/** Each query that runs occupies a thread. */
const maxRunning = 32;
const maxWaiting = 2_000;

/**
 * The ClickHouse engine of this process on one data folder. Every request runs on a connection of
 * its own (0.2 ms), so its database, settings and parameters never reach another request.
 * Invariant: one connection stays open until close(), because the engine ends with its last one.
 */
export class ClickhouseEngine {
  readonly #dataFolder: string;
  /** Holds the rows of an INSERT while they come. */
  readonly #incomingFolder: string;
  readonly #keeper: ChdbConnection;
  readonly #turns = new Turns(maxRunning, maxWaiting);

  constructor(folder: string) {
    this.#dataFolder = join(folder, 'data');
    this.#incomingFolder = join(folder, 'incoming');
    rmSync(this.#incomingFolder, { recursive: true, force: true });
    mkdirSync(this.#incomingFolder, { recursive: true });
    // The engine would take the name of a file in the working folder for a table.
    process.chdir(this.#incomingFolder);
    this.#keeper = chdbAddon.CreateConnection(this.#dataFolder);
  }

  /** Runs one statement. @throws ClickhouseFailure for none or several, and errors of the engine */
  query(request: ClickhouseRequest, query: string): Promise<ChdbResult> {
    if (query.trim() === '')
      throw new ClickhouseFailure(62, 'SYNTAX_ERROR', 'Syntax error: Empty query');
    if (statementCount(query) > 1)
      throw new ClickhouseFailure(
        62,
        'SYNTAX_ERROR',
        'Syntax error: Multi-statements are not allowed',
      );
    const forbidden = forbiddenAccess(query, request.settings);
    if (forbidden !== null) {
      throw new ClickhouseFailure(
        497,
        'ACCESS_DENIED',
        `the local ClickHouse reads and writes no files and no other servers: ${forbidden}`,
      );
    }
    return this.#run(request, query);
  }

  /** Writes the rows to a file while they come, and then lets the engine read the file. */
  async insert(
    request: ClickhouseRequest,
    statement: InsertStatement,
    rows: Readable,
  ): Promise<ChdbResult> {
    const file = join(this.#incomingFolder, randomUUID());
    try {
      // If the disk is full, the request must stay open, because it still has to be answered.
      await pipeline(rows.iterator({ destroyOnReturn: false }), createWriteStream(file));
      return await this.#run(request, insertFromFile(statement, file));
    } finally {
      await unlink(file).catch(() => undefined);
    }
  }

  /** Closes the engine after the last query that runs. */
  async close(): Promise<void> {
    await this.#turns.idle();
    chdbAddon.CloseConnection(this.#keeper);
  }

  #run(request: ClickhouseRequest, query: string): Promise<ChdbResult> {
    return this.#turns.take(async () => {
      const connection = chdbAddon.CreateConnection(this.#dataFolder);
      try {
        const prelude = connectionPrelude(request);
        if (prelude !== null)
          await chdbAddon.QueryAsyncConnection(connection, prelude, request.defaultFormat);
        return await chdbAddon.QueryAsyncConnection(connection, query, request.defaultFormat);
      } finally {
        chdbAddon.CloseConnection(connection);
      }
    });
  }
}
