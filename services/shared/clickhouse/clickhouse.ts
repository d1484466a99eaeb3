import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { certificateMistake } from '../config/certificateMistake.ts';
import type { Environment } from '../config/environment.ts';
import { retryTransient } from '../retryTransient.ts';
import { UserError } from '../userError.ts';
import { ClickhouseClients } from './clickhouseClients.ts';
import { isTransientClickhouseError, SilentServer } from './clickhouseErrors.ts';
import { type NativeBlock, nativeBytes, sentColumns } from './nativeBlock.ts';

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

/**
 * Time after which a connection that carries nothing is given up. Each attempt that ends so allows
 * twice the time to the next one, because a statement that shows no progress may need longer.
 */
const firstMaxSilenceMs = 15_000;
/** The longest such time, and that of a command, which has one attempt. */
const lastMaxSilenceMs = 120_000;

export function connectClickhouse(
  environment: Environment,
  options: ConnectOptions,
  database: string = environment.CLICKHOUSE_DATABASE,
): Clickhouse {
  return new Clickhouse(new ClickhouseClients(environment, database), options);
}

/**
 * A thin edge around the official client: rows in, rows out. Transient errors are retried with
 * growing pauses, so that a service waits for a server that is away instead of losing what it
 * holds.
 */
export class Clickhouse {
  readonly #clients: ClickhouseClients;
  readonly #options: ConnectOptions;

  constructor(clients: ClickhouseClients, options: ConnectOptions) {
    this.#clients = clients;
    this.#options = options;
  }

  /** The client itself, whose requests are not repeated. */
  get client(): ClickHouseClient {
    return this.#clients.client(lastMaxSilenceMs);
  }

  /** Inserts rows in one block. Sends nothing when there are none. */
  async insert(table: string, rows: readonly object[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#run(client => client.insert({ table, values: rows, format: 'JSONEachRow' }));
  }

  /**
   * Inserts the rows of a block, which must not change meanwhile. Sends nothing when there are
   * none.
   */
  async insertBlock(table: string, block: NativeBlock): Promise<void> {
    if (block.rows === 0) return;
    await this.#run(async client => {
      const { stream } = await client.exec({
        query: `INSERT INTO ${table} (${sentColumns(block).join(', ')}) FORMAT Native`,
        values: Readable.from(nativeBytes(block)),
        // Rows of the same key in one block are rare here, and readers use FINAL: looking for them
        // costs a quarter of the insert.
        clickhouse_settings: { optimize_on_insert: 0 },
      });
      await finished(stream.resume());
    });
  }

  async select<Row>(query: string, parameters: Record<string, unknown> = {}): Promise<Row[]> {
    return this.#run(async client => {
      const result = await queryRows(client, query, parameters);
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
    await this.#run(async client => {
      const result = await queryRows(client, query, parameters);
      for await (const rows of result.stream<Row>()) for (const row of rows) take(row.json());
    });
  }

  async command(query: string, parameters: Record<string, unknown> = {}): Promise<void> {
    await this.#run(client => client.command({ query, query_params: parameters }));
  }

  /**
   * Returns the answer to a query that names its own format, as bytes, which the caller must read.
   * The server sends nothing before everything is computed.
   */
  async export(query: string, parameters: Record<string, unknown> = {}): Promise<Readable> {
    return this.#run(async client => {
      const { stream } = await client.exec({
        query,
        query_params: parameters,
        clickhouse_settings: { wait_end_of_query: 1 },
      });
      return stream;
    });
  }

  async close(): Promise<void> {
    await this.#clients.close();
  }

  async #run<T>(operation: (client: ClickHouseClient) => Promise<T>): Promise<T> {
    const { retry, onAnswer, onRetry, onRetried, signal } = this.#options;
    let maxSilenceMs = retry ? firstMaxSilenceMs : lastMaxSilenceMs;
    const attempt = async () => {
      try {
        return await operation(this.#clients.client(maxSilenceMs));
      } catch (error) {
        const mistake = certificateMistake(error, 'ClickHouse', 'CLICKHOUSE');
        if (mistake !== null) throw new UserError(mistake, { cause: error });
        const toldError = SilentServer.of(error, maxSilenceMs);
        if (toldError instanceof SilentServer)
          maxSilenceMs = Math.min(lastMaxSilenceMs, 2 * maxSilenceMs);
        throw toldError;
      }
    };
    const answer = await (retry
      ? retryTransient(attempt, isTransientClickhouseError, onRetry, onRetried, signal)
      : attempt());
    onAnswer?.();
    return answer;
  }
}

function queryRows(client: ClickHouseClient, query: string, parameters: Record<string, unknown>) {
  return client.query({ query, query_params: parameters, format: 'JSONEachRow' });
}
