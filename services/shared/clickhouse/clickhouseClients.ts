import { rootCertificates } from 'node:tls';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Environment } from '../config/environment.ts';
import { readTlsFiles } from '../config/readTlsFiles.ts';

type ClickhouseTls = { ca_cert: Buffer } | { ca_cert: Buffer; cert: Buffer; key: Buffer };

/**
 * How often a statement that runs sends its progress, so that a connection that carries nothing can
 * be told from a server that works. Proxies take few bytes of headers, so it is not more often.
 */
const progressIntervalMs = 10_000;
/** Space for the headers of some hours; Node's default of 16 KiB is full after ten minutes. */
const maxHeaderBytes = 1024 ** 2;

/** Clients of one server, which differ only in how long they wait for a sign of life. */
export class ClickhouseClients {
  readonly #create: (maxSilenceMs: number) => ClickHouseClient;
  readonly #clients = new Map<number, ClickHouseClient>();

  constructor(environment: Environment, database: string) {
    const tls = tlsOptions(environment);
    this.#create = maxSilenceMs =>
      createClient({
        url: environment.CLICKHOUSE_URL,
        username: environment.CLICKHOUSE_USERNAME,
        password: environment.CLICKHOUSE_PASSWORD,
        database,
        ...tls,
        // The library counts the time since the connection carried anything.
        request_timeout: maxSilenceMs,
        max_response_headers_size: maxHeaderBytes,
        // Every error is thrown, and its handler logs it.
        log: { level: ClickHouseLogLevel.OFF },
        clickhouse_settings: {
          output_format_json_quote_64bit_integers: 0,
          output_format_json_quote_denormals: 1,
          date_time_input_format: 'best_effort',
          max_partitions_per_insert_block: '0',
          // The library finds an error that comes after such headers, although its status is 200.
          send_progress_in_http_headers: 1,
          http_headers_progress_interval_ms: String(progressIntervalMs),
        },
      });
  }

  /** @param maxSilenceMs a request fails when its connection carries nothing for so long */
  client(maxSilenceMs: number): ClickHouseClient {
    let client = this.#clients.get(maxSilenceMs);
    if (client === undefined) {
      client = this.#create(maxSilenceMs);
      this.#clients.set(maxSilenceMs, client);
    }
    return client;
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#clients.values(), client => client.close()));
  }
}

/** Returns how to connect by TLS. A certificate of the client takes the place of the password. */
function tlsOptions(environment: Environment): { tls?: ClickhouseTls } {
  const { ca, cert, key } = readTlsFiles(environment, 'CLICKHOUSE');
  if (cert && key) {
    const ca_cert = ca ?? Buffer.from(rootCertificates.join('\n'));
    return { tls: { ca_cert, cert, key } };
  }
  return ca ? { tls: { ca_cert: ca } } : {};
}
