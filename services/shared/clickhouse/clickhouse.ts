import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Environment } from '../config/environment.ts';
import { readTlsFiles } from '../config/readTlsFiles.ts';
import { retryTransient } from '../retryTransient.ts';
import { isTransientClickhouseError } from './clickhouseErrors.ts';
import { type NativeBlock, nativeBytes } from './nativeBlock.ts';

export { clickhouseTime } from './timeExpressions.ts';

export interface ConnectOptions {
  /** Wait for as long as the server is away (services), or fail at the first error (commands). */
  retry: boolean;
  /** Called when a request has succeeded. */
  onAnswer?: () => void;
  onRetry?: (error: unknown, attempt: number) => void;
  /** Called when a request that was repeated has ended, with or without success. */
  onRetried?: () => void;
  /** When it is aborted, a request that fails is not repeated any more. */
  signal?: AbortSignal;
}

export function connectClickhouse(
  environment: Environment,
  options: ConnectOptions,
  database?: string,
): Clickhouse {
  const { ca } = readTlsFiles({ ca: ['CLICKHOUSE_CA_FILE', environment.CLICKHOUSE_CA_FILE] });
  const client = createClient({
    url: environment.CLICKHOUSE_URL,
    username: environment.CLICKHOUSE_USERNAME,
    password: environment.CLICKHOUSE_PASSWORD,
    database: database ?? environment.CLICKHOUSE_DATABASE,
    ...(ca && { tls: { ca_cert: ca } }),
    request_timeout: 120_000,
    // Every error is thrown, and its handler logs it.
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: {
      output_format_json_quote_64bit_integers: 0,
      output_format_json_quote_denormals: 1,
      date_time_input_format: 'best_effort',
      max_partitions_per_insert_block: '0',
    },
  });
  return new Clickhouse(client, options);
}

/**
 * A thin edge around the official client: rows in, rows out. Transient errors are retried with
 * growing pauses, so that a service waits for a server that is away instead of losing what it
 * holds.
 */
export class Clickhouse {
  readonly client: ClickHouseClient;
  readonly #options: ConnectOptions;

  constructor(client: ClickHouseClient, options: ConnectOptions) {
    this.client = client;
    this.#options = options;
  }

  /** Inserts rows in one block. Sends nothing when there are none. */
  async insert(table: string, rows: readonly object[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#run(() => this.client.insert({ table, values: rows, format: 'JSONEachRow' }));
  }

  /**
   * Inserts the rows of a block, which must not change meanwhile. Sends nothing when there are
   * none.
   */
  async insertBlock(table: string, block: NativeBlock): Promise<void> {
    if (block.rows === 0) return;
    await this.#run(async () => {
      const { stream } = await this.client.exec({
        query: `INSERT INTO ${table} (${Object.keys(block.columns).join(', ')}) FORMAT Native`,
        values: Readable.from(nativeBytes(block)),
        // Rows of the same key in one block are rare here, and readers use FINAL: looking for them
        // costs a quarter of the insert.
        clickhouse_settings: { optimize_on_insert: 0 },
      });
      await finished(stream.resume());
    });
  }

  async select<Row>(query: string, parameters: Record<string, unknown> = {}): Promise<Row[]> {
    return this.#run(async () => {
      const result = await this.#query(query, parameters);
      return result.json<Row>();
    });
  }

  /**
   * Gives each row of the answer to `take` as it comes. After an error in between it starts again
   * with the first row.
   */
  async selectEach<Row>(
    query: string,
    parameters: Record<string, unknown>,
    take: (row: Row) => void,
  ): Promise<void> {
    await this.#run(async () => {
      const result = await this.#query(query, parameters);
      for await (const rows of result.stream<Row>()) for (const row of rows) take(row.json());
    });
  }

  async command(query: string, parameters: Record<string, unknown> = {}): Promise<void> {
    await this.#run(() => this.client.command({ query, query_params: parameters }));
  }

  /**
   * Returns the answer to a query that names its own format, as bytes, which the caller must read.
   * The server sends nothing before everything is computed.
   */
  async export(query: string, parameters: Record<string, unknown> = {}): Promise<Readable> {
    return this.#run(async () => {
      const { stream } = await this.client.exec({
        query,
        query_params: parameters,
        clickhouse_settings: { wait_end_of_query: 1 },
      });
      return stream;
    });
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  #query(query: string, parameters: Record<string, unknown>) {
    return this.client.query({ query, query_params: parameters, format: 'JSONEachRow' });
  }

  async #run<T>(operation: () => Promise<T>): Promise<T> {
    const { retry, onAnswer, onRetry, onRetried, signal } = this.#options;
    const answer = await (retry
      ? retryTransient(operation, isTransientClickhouseError, onRetry, onRetried, signal)
      : operation());
    onAnswer?.();
    return answer;
  }
}
