import { ClickHouseError } from '@clickhouse/client';
import { UserError } from '../userError.ts';

/** Error codes of ClickHouse by its names for them, as `errorCodeToName` gives them. */
export const clickhouseErrorCodes = {
  UNKNOWN_TABLE: '60',
  UNKNOWN_DATABASE: '81',
  TIMEOUT_EXCEEDED: '159',
  TOO_MANY_SIMULTANEOUS_QUERIES: '202',
  SOCKET_TIMEOUT: '209',
  NETWORK_ERROR: '210',
  /** The server stops. */
  ABORTED: '236',
  MEMORY_LIMIT_EXCEEDED: '241',
  /** A replica that has lost its keeper. */
  TABLE_IS_READ_ONLY: '242',
  NOT_ENOUGH_SPACE: '243',
  TOO_MANY_PARTS: '252',
  UNKNOWN_STATUS_OF_INSERT: '319',
  QUERY_WAS_CANCELLED: '394',
  KEEPER_EXCEPTION: '999',
} as const;

export type ClickhouseErrorName = keyof typeof clickhouseErrorCodes;

/** Errors of the server that pass without a change of the request. */
const transientErrors: readonly ClickhouseErrorName[] = [
  'TIMEOUT_EXCEEDED',
  'TOO_MANY_SIMULTANEOUS_QUERIES',
  'SOCKET_TIMEOUT',
  'NETWORK_ERROR',
  'ABORTED',
  'MEMORY_LIMIT_EXCEEDED',
  'TABLE_IS_READ_ONLY',
  'NOT_ENOUGH_SPACE',
  'TOO_MANY_PARTS',
  'UNKNOWN_STATUS_OF_INSERT',
  'QUERY_WAS_CANCELLED',
  'KEEPER_EXCEPTION',
];

/** No answer came, and the connection carried nothing for a while. */
export class SilentServer extends Error {
  readonly silentMs: number;

  constructor(silentMs: number, options: ErrorOptions) {
    super(`no answer on an open connection for ${silentMs / 1000} s`, options);
    this.silentMs = silentMs;
  }

  /** Names an error of the client library that says so; other errors stay as they are. */
  static of(error: unknown, silentMs: number): unknown {
    const isSilence = error instanceof Error && error.message === 'Timeout error.';
    return isSilence ? new SilentServer(silentMs, { cause: error }) : error;
  }
}

/** Returns whether the server has answered with one of these errors. */
export function isClickhouseError(
  error: unknown,
  names: readonly ClickhouseErrorName[],
): error is ClickHouseError {
  return (
    error instanceof ClickHouseError &&
    names.some(name => clickhouseErrorCodes[name] === error.code)
  );
}

/**
 * Returns whether a request that failed may succeed when it is repeated as it is. Every error that
 * is not an answer of the server (connection refused, reset, timed out) may, unless it is a mistake
 * of this program or of its user.
 */
export function isTransientClickhouseError(error: unknown): boolean {
  if (error instanceof ClickHouseError) return isClickhouseError(error, transientErrors);
  return error instanceof Error && !(error instanceof TypeError) && !(error instanceof UserError);
}
