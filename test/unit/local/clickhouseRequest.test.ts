import { describe, expect, it } from 'vitest';
import {
  connectionPrelude,
  parseClickhouseRequest,
} from '../../../infra/local/clickhouse/clickhouseRequest.ts';

const parse = (query: string) => parseClickhouseRequest(new URLSearchParams(query));

describe('parseClickhouseRequest', () => {
  it('distinguishes transport, settings and query parameters', () => {
    const request = parse(
      'query=SELECT+1&query_id=q&database=a&default_format=Parquet&wait_end_of_query=1&enable_http_compression=1&max_threads=2&param_x=3&user=u',
    );
    expect(request).toEqual({
      query: 'SELECT 1',
      queryId: 'q',
      database: 'a',
      defaultFormat: 'Parquet',
      compressResponse: true,
      sendsProgress: false,
      progressIntervalMs: 100,
      settings: new Map([
        ['max_threads', '2'],
        ['param_x', '3'],
      ]),
    });
  });

  it('takes what standard clients send: sessions, their compression, and headers', () => {
    const parameters = new URLSearchParams('session_id=1&compress=1&client_protocol_version=54460');
    const headers = { 'x-clickhouse-format': 'RowBinary', 'x-clickhouse-database': 'd' };
    expect(parseClickhouseRequest(parameters, headers)).toMatchObject({
      defaultFormat: 'RowBinary',
      database: 'd',
      settings: new Map(),
    });
  });

  it('refuses parameters that the local server does not have', () => {
    expect(() => parse('role=1')).toThrow(/Code: 48\..*role/);
    expect(() => parse('max_threads%3D1;DROP=2')).toThrow(/Code: 115\./);
  });
});

describe('connectionPrelude', () => {
  it('returns null for a request without database and settings', () => {
    expect(connectionPrelude(parse('query=SELECT+1'))).toBeNull();
  });

  it('quotes names and values', () => {
    const request = parse(
      `database=${encodeURIComponent('a`b\\')}&param_x=${encodeURIComponent(`it's \\N`)}&max_threads=2`,
    );
    expect(connectionPrelude(request)).toBe(
      `USE \`a\\\`b\\\\\`; SET param_x = 'it\\'s \\\\N', max_threads = '2'`,
    );
  });
});
