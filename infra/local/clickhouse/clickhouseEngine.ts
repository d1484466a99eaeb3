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
import { type InsertStatement, insertFromFile } from './insertStatement.ts';
import { statementCount } from './statementCount.ts';

/** Queries that run at the same time; each occupies a thread. */
const maxRunning = 32;
const maxWaiting = 2_000;

export type ClickhouseEngine = ReturnType<typeof openClickhouseEngine>;

/**
 * The ClickHouse engine of this process on one data folder.
 * Every request runs on a connection of its own (0.2 ms), so database, settings and parameters of one never reach another.
 */
export function openClickhouseEngine(folder: string) {
  const dataFolder = join(folder, 'data');
  const incomingFolder = join(folder, 'incoming');
  rmSync(incomingFolder, { recursive: true, force: true });
  mkdirSync(incomingFolder, { recursive: true });
  // Held open for the life of the process: the engine ends with its last connection.
  const keeper = chdbAddon.CreateConnection(dataFolder);
  const turns = createTurns();

  async function run(request: ClickhouseRequest, query: string): Promise<ChdbResult> {
    await turns.take();
    let connection: ChdbConnection | undefined;
    try {
      connection = chdbAddon.CreateConnection(dataFolder);
      const prelude = connectionPrelude(request);
      if (prelude !== null)
        await chdbAddon.QueryAsyncConnection(connection, prelude, request.defaultFormat);
      return await chdbAddon.QueryAsyncConnection(connection, query, request.defaultFormat);
    } finally {
      if (connection) chdbAddon.CloseConnection(connection);
      turns.give();
    }
  }

  return {
    query(request: ClickhouseRequest, query: string): Promise<ChdbResult> {
      if (query.trim() === '')
        throw new ClickhouseFailure(62, 'SYNTAX_ERROR', 'Syntax error: Empty query');
      if (statementCount(query) > 1)
        throw new ClickhouseFailure(
          62,
          'SYNTAX_ERROR',
          'Syntax error: Multi-statements are not allowed',
        );
      return run(request, query);
    },
    /** Stores the rows in a file while they come, then lets the engine read it. */
    async insert(
      request: ClickhouseRequest,
      statement: InsertStatement,
      rows: Readable,
    ): Promise<ChdbResult> {
      const file = join(incomingFolder, randomUUID());
      try {
        // A full disk must not destroy the request, which has to be answered.
        await pipeline(rows.iterator({ destroyOnReturn: false }), createWriteStream(file));
        return await run(request, insertFromFile(statement, file));
      } finally {
        await unlink(file).catch(() => undefined);
      }
    },
    async close(): Promise<void> {
      await turns.idle();
      chdbAddon.CloseConnection(keeper);
    },
  };
}

/** Lets a limited number through at a time, in order of arrival. */
function createTurns() {
  let running = 0;
  const waiting: (() => void)[] = [];
  const idleListeners: (() => void)[] = [];
  return {
    async take(): Promise<void> {
      if (running < maxRunning) {
        running++;
        return;
      }
      if (waiting.length >= maxWaiting)
        throw new ClickhouseFailure(
          202,
          'TOO_MANY_SIMULTANEOUS_QUERIES',
          'Too many simultaneous queries',
        );
      await new Promise<void>(resolve => waiting.push(resolve));
    },
    give(): void {
      const next = waiting.shift();
      if (next) {
        next();
        return;
      }
      running--;
      if (running === 0) for (const listener of idleListeners.splice(0)) listener();
    },
    async idle(): Promise<void> {
      if (running > 0) await new Promise<void>(resolve => idleListeners.push(resolve));
    },
  };
}
