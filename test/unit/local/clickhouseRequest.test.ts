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
      settings: new Map([
        ['max_threads', '2'],
        ['param_x', '3'],
      ]),
    });
  });

  it('refuses parameters that the local server does not have', () => {
    expect(() => parse('session_id=1')).toThrow(/Code: 48\..*session_id/);
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
