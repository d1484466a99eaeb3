import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import {
  type Clickhouse,
  connectClickhouse,
} from '../../../services/shared/clickhouse/clickhouse.ts';
import { readEnvironment } from '../../../services/shared/config/environment.ts';

// The status was sent with the progress, so a header of its own says that the query has failed.
const memoryError = 'Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)';
const tableError = 'Code: 60. DB::Exception: Unknown table. (UNKNOWN_TABLE)';

/**
 * Starts a server that sends the status 200 with its progress, as ClickHouse does, and then fails
 * with each of the errors in turn before it succeeds.
 */
async function failingServer(errors: readonly string[]) {
  const left = [...errors];
  const server = createServer((message, response) => {
    message.resume();
    const error = left.shift();
    response.setHeader('X-ClickHouse-Progress', '{"read_rows":"1"}');
    if (error) response.setHeader('X-ClickHouse-Exception-Code', /\d+/.exec(error)![0]);
    response.end(`${error ?? '{"n":1}'}\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const retries: string[] = [];
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clickhouse = connectClickhouse(readEnvironment({ CLICKHOUSE_URL: url }), {
    retry: true,
    onRetry: error => void retries.push((error as Error).message),
  });
  return {
    clickhouse,
    retries,
    async [Symbol.asyncDispose]() {
      await clickhouse.close();
      server.close();
    },
  };
}

it.each([
  ['rows', async (clickhouse: Clickhouse) => JSON.stringify(await clickhouse.select('SELECT'))],
  [
    'no rows',
    async (clickhouse: Clickhouse) => {
      await clickhouse.insert('t', [{}]);
      return '{"n":1}';
    },
  ],
  ['an export', async (clickhouse: Clickhouse) => text(await clickhouse.export('SELECT'))],
])('a statement for %s that fails after its progress was sent is repeated', async (_, read) => {
  await using server = await failingServer([memoryError, memoryError]);
  expect(await read(server.clickhouse)).toContain('{"n":1}');
  expect(server.retries).toEqual(['Memory limit exceeded. ', 'Memory limit exceeded. ']);
});

it('a query that fails after its progress was sent, and would fail again, throws', async () => {
  await using server = await failingServer([tableError]);
  await expect(server.clickhouse.select('SELECT')).rejects.toMatchObject({
    code: '60',
    type: 'UNKNOWN_TABLE',
  });
  expect(server.retries).toEqual([]);
});
