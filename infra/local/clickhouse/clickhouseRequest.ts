import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** The parameters of a request to ClickHouse's HTTP interface. */
export interface ClickhouseRequest {
  /** The query or its beginning, which goes on in the body. */
  query: string;
  queryId: string;
  database: string | null;
  /** Format of the result if the query names none. */
  defaultFormat: string;
  compressResponse: boolean;
  /** A sign of life was asked for. */
  sendsProgress: boolean;
  /** Time between two signs of life. */
  progressIntervalMs: number;
  /** Settings, and query parameters as `param_name` (in ClickHouse's Escaped format). */
  settings: Map<string, string>;
}

/** Parameters of the transport, which the engine does not know. */
const transportParameters = new Set([
  'user',
  'password',
  'quota_key',
  'wait_end_of_query',
  'buffer_size',
  'http_zlib_compression_level',
  'stacktrace',
  // Clients send them on every request. A request has a connection of its own here, so a session
  // keeps nothing; answers are not compressed in ClickHouse's own way, which clients recognise.
  'session_id',
  'session_timeout',
  'session_check',
  'compress',
  'client_protocol_version',
]);
/** Parameters that this server does not have, and that would change what a query does. */
const unsupportedParameters = new Set(['role', 'decompress']);
const settingName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Reads the parameters of a request from its URL and headers, https://clickhouse.com/docs/interfaces/http.
 * @throws ClickhouseFailure for a parameter that this server does not have
 */
export function parseClickhouseRequest(
  parameters: Iterable<[string, string]>,
  headers: IncomingHttpHeaders = {},
): ClickhouseRequest {
  const request: ClickhouseRequest = {
    query: '',
    queryId: randomUUID(),
    database: headerValue(headers, 'x-clickhouse-database') ?? null,
    defaultFormat: headerValue(headers, 'x-clickhouse-format') ?? 'TabSeparated',
    compressResponse: false,
    sendsProgress: false,
    progressIntervalMs: 100,
    settings: new Map(),
  };
  for (const [name, value] of parameters) {
    if (name === 'query') request.query = value;
    else if (name === 'query_id') request.queryId = value;
    else if (name === 'database') request.database = value;
    else if (name === 'default_format') request.defaultFormat = value;
    else if (name === 'enable_http_compression') request.compressResponse = isOn(value);
    else if (name === 'send_progress_in_http_headers') request.sendsProgress = isOn(value);
    else if (name === 'http_headers_progress_interval_ms')
      request.progressIntervalMs = Number(value) || request.progressIntervalMs;
    else if (unsupportedParameters.has(name))
      throw new ClickhouseFailure(48, 'NOT_IMPLEMENTED', `the local ClickHouse has no ${name}`);
    else if (!settingName.test(name))
      throw new ClickhouseFailure(115, 'UNKNOWN_SETTING', `Unknown setting '${name}'`);
    else if (!transportParameters.has(name)) request.settings.set(name, value);
  }
  return request;
}

function isOn(value: string): boolean {
  return value === '1' || value === 'true';
}

function headerValue(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** An error with the number and name that ClickHouse gives it. */
export class ClickhouseFailure extends Error {
  readonly code: number;

  constructor(code: number, type: string, message: string) {
    super(`Code: ${code}. DB::Exception: ${message}. (${type})`);
    this.code = code;
  }
}

/**
 * Returns the statements that give a new connection the database and the settings of a request, or
 * null if the request names none.
 */
export function connectionPrelude({ database, settings }: ClickhouseRequest): string | null {
  const statements = [];
  if (database !== null) statements.push(`USE ${quoteIdentifier(database)}`);
  if (settings.size > 0)
    statements.push(
      `SET ${[...settings].map(([name, value]) => `${name} = ${quoteText(value)}`).join(', ')}`,
    );
  return statements.length === 0 ? null : statements.join('; ');
}

export function quoteText(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

function quoteIdentifier(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``;
}
