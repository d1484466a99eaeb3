import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import {
  type ClickHouseClient,
  ClickHouseError,
  ClickHouseLogLevel,
  createClient,
} from '@clickhouse/client';
import type { Environment } from '../config/environment.ts';
import { retryTransient } from '../retryTransient.ts';
import { type NativeBlock, nativeBytes } from './nativeBlock.ts';

export type Clickhouse = ReturnType<typeof connectClickhouse>;

/**
 * Errors of the server that pass: timeout, too many queries or parts, query aborted or cancelled by a server that stops, memory, read-only
 * replica, full disk, no keeper, network.
 */
const transientCodes = new Set([
  '159',
  '202',
  '209',
  '210',
  '236',
  '241',
  '242',
  '243',
  '252',
  '319',
  '394',
  '999',
]);

function isTransient(error: unknown): boolean {
  // Everything that is not the server's own word (refused, reset, timed out) may pass.
  if (!(error instanceof ClickHouseError))
    return error instanceof Error && !(error instanceof TypeError);
  return transientCodes.has(error.code);
}

export interface ConnectOptions {
  /** Wait for as long as the server is away (services), or fail at the first error (commands). */
  retry: boolean;
  onRetry?: (error: unknown, attempt: number) => void;
  /** A request that was repeated has ended, well or not. */
  onRetried?: () => void;
}

/**
 * A thin edge around the official client: rows in, rows out, and transient errors retried with growing pauses,
 * so that a service waits for a server that is away instead of losing what it holds.
 */
export function connectClickhouse(
  environment: Environment,
  options: ConnectOptions,
  database?: string,
) {
  const client: ClickHouseClient = createClient({
    url: environment.CLICKHOUSE_URL,
    username: environment.CLICKHOUSE_USERNAME,
    password: environment.CLICKHOUSE_PASSWORD,
    database: database ?? environment.CLICKHOUSE_DATABASE,
    request_timeout: 120_000,
    // Every error is thrown, and whoever handles it says so.
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: {
      output_format_json_quote_64bit_integers: 0,
      output_format_json_quote_denormals: 1,
      date_time_input_format: 'best_effort',
      max_partitions_per_insert_block: '0',
    },
  });
  const run = <T>(operation: () => Promise<T>): Promise<T> =>
    options.retry
      ? retryTransient(operation, isTransient, options.onRetry, options.onRetried)
      : operation();

  return {
    client,
    /** Inserts rows in one block; nothing for none. */
    async insert(table: string, rows: readonly object[]): Promise<void> {
      if (rows.length === 0) return;
      await run(() => client.insert({ table, values: rows, format: 'JSONEachRow' }));
    },
    /** Inserts the rows of a block, nothing for none. The block must stay as it is until then. */
    async insertBlock(table: string, block: NativeBlock): Promise<void> {
      if (block.rows === 0) return;
      await run(async () => {
        const { stream } = await client.exec({
          query: `INSERT INTO ${table} (${Object.keys(block.columns).join(', ')}) FORMAT Native`,
          values: Readable.from(nativeBytes(block)),
          // Rows of the same key in one block are rare here, and readers use FINAL: looking for them costs a quarter of the insert.
          clickhouse_settings: { optimize_on_insert: 0 },
        });
        await finished(stream.resume());
      });
    },
    async select<Row>(query: string, parameters: Record<string, unknown> = {}): Promise<Row[]> {
      return run(async () => {
        const result = await client.query({
          query,
          query_params: parameters,
          format: 'JSONEachRow',
        });
        return result.json<Row>();
      });
    },
    /** Gives each row of the answer to `take`, as they come. After an error in between it begins again with the first. */
    async selectEach<Row>(
      query: string,
      parameters: Record<string, unknown>,
      take: (row: Row) => void,
    ): Promise<void> {
      await run(async () => {
        const result = await client.query({
          query,
          query_params: parameters,
          format: 'JSONEachRow',
        });
        for await (const rows of result.stream<Row>()) for (const row of rows) take(row.json());
      });
    },
    async command(query: string, parameters: Record<string, unknown> = {}): Promise<void> {
      await run(async () => {
        await client.command({ query, query_params: parameters });
      });
    },
    /** The answer to a query that names its own format, as bytes; whoever asked must read them. The server sends nothing before all is computed. */
    async export(query: string, parameters: Record<string, unknown> = {}): Promise<Readable> {
      return run(async () => {
        const { stream } = await client.exec({
          query,
          query_params: parameters,
          clickhouse_settings: { wait_end_of_query: 1 },
        });
        return stream;
      });
    },
    close: () => client.close(),
  };
}

/** Text of an event time for a DateTime64(3, 'UTC') column. @example clickhouseTime(0) // '1970-01-01 00:00:00.000' */
export function clickhouseTime(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, -1).replace('T', ' ');
}
