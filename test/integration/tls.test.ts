import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { connectSchemaRegistry } from '../../services/shared/avro/schemaRegistry.ts';
import { connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import type { Feedback } from '../../services/shared/contracts.ts';
import { createCertificates } from '../createCertificates.ts';
import { uniqueName } from '../uniqueName.ts';

let folder: string;
let certificates: ReturnType<typeof createCertificates>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'driftloop-tls-'));
  certificates = createCertificates(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Offers a server by TLS to clients that have a certificate of the authority. */
async function tlsGateway(server: string) {
  const pair = readFileSync(certificates.server);
  const gateway = createServer(
    {
      cert: pair,
      key: pair,
      ca: readFileSync(certificates.authority),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (message, response) => {
      const { method, headers } = message;
      const onward = request(new URL(message.url!, server), { method, headers }, answer => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      });
      message.pipe(onward);
    },
  );
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  const url = new URL(server);
  url.protocol = 'https:';
  url.port = String((gateway.address() as AddressInfo).port);
  return {
    url: url.href,
    [Symbol.dispose]() {
      gateway.closeAllConnections();
      gateway.close();
    },
  };
}

const servers = [
  {
    server: 'the schema registry',
    name: 'SCHEMA_REGISTRY',
    address: () => inject('schemaRegistryUrl'),
    async use(variables: Record<string, string>): Promise<string> {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const ended = new AbortController();
      connectSchemaRegistry(readEnvironment(variables), reject, ended.signal)
        .encoder<Feedback>('Feedback', uniqueName())
        .then(() => resolve('answered'), reject);
      return promise.finally(() => ended.abort());
    },
  },
  {
    server: 'ClickHouse',
    name: 'CLICKHOUSE',
    address: () => inject('clickhouseUrl'),
    async use(variables: Record<string, string>) {
      const clickhouse = connectClickhouse(readEnvironment(variables), { retry: true }, 'default');
      return clickhouse
        .select('SELECT 1')
        .then(() => 'answered')
        .finally(() => clickhouse.close());
    },
  },
];

it.each(servers)(
  '$server is reached by TLS with a client certificate, and a mistake is said in one line',
  async ({ server, name, address, use }) => {
    using gateway = await tlsGateway(address());
    const withAuthority = {
      [`${name}_URL`]: gateway.url,
      [`${name}_CA_FILE`]: certificates.authority,
    };
    const complete = {
      ...withAuthority,
      [`${name}_CERT_FILE`]: certificates.clientCertificate,
      [`${name}_KEY_FILE`]: certificates.clientKey,
    };
    expect(await use(complete)).toBe('answered');
    await expect(use({ ...complete, [`${name}_CA_FILE`]: '' })).rejects.toThrow(
      new RegExp(`^${server}: .*certificate.*; name .* in ${name}_CA_FILE$`),
    );
    await expect(use(withAuthority)).rejects.toThrow(
      new RegExp(`certificate.* name .* in ${name}_CERT_FILE and ${name}_KEY_FILE$`),
    );
    await expect(use({ ...complete, [`${name}_KEY_FILE`]: '/nowhere' })).rejects.toThrow(
      new RegExp(`^environment variable ${name}_KEY_FILE: /nowhere cannot be read`),
    );
    expect(() => readEnvironment({ ...complete, [`${name}_KEY_FILE`]: '' })).toThrow(
      `${name}_CERT_FILE and ${name}_KEY_FILE need each other`,
    );
  },
);
