import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Environment } from '../../services/shared/config/environment.ts';
import type { TlsFiles } from '../../services/shared/config/readTlsFiles.ts';
import { kafkaMistake } from '../../services/shared/kafka/kafkaMistake.ts';
import { kafkaTls } from '../../services/shared/kafka/kafkaTls.ts';
import { UserError } from '../../services/shared/userError.ts';

const timeoutMs = 5_000;

const servers = {
  KAFKA_BROKERS: {
    name: 'Kafka',
    addresses: (brokers: string) => brokers.split(',').map(broker => broker.trim()),
  },
  SCHEMA_REGISTRY_URL: {
    name: 'the schema registry',
    addresses: (url: string) => [addressOf(url)],
  },
  CLICKHOUSE_URL: { name: 'ClickHouse', addresses: (url: string) => [addressOf(url)] },
} as const;

type ServerVariable = keyof typeof servers;

/**
 * Checks that something listens at the address of a server. A client would try for a minute before
 * it gave up.
 * @throws UserError of one line if nothing does
 */
export async function requireServer(
  environment: Environment,
  variable: ServerVariable,
): Promise<void> {
  const { name, addresses } = servers[variable];
  const value = environment[variable];
  const failures: string[] = [];
  const tls = variable === 'KAFKA_BROKERS' ? kafkaTls(environment) : false;
  for (const address of addresses(value)) {
    const failure = await connectionFailure(address, tls);
    if (failure === null) return;
    failures.push(failure);
  }
  throw new UserError(
    `${name} does not answer at ${value} (${failures.join('; ')}): start it, or set ${variable}`,
  );
}

/** Checks all three servers. @throws UserError that names the first one that does not answer */
export async function requireServers(environment: Environment): Promise<void> {
  for (const variable of Object.keys(servers) as ServerVariable[])
    await requireServer(environment, variable);
}

function addressOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}

/** Tries to connect. @returns why it failed, or null if it did not */
function connectionFailure(address: string, tls: TlsFiles | boolean): Promise<string | null> {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = Number(address.slice(colon + 1));
  if (colon < 1 || !(port > 0 && port < 65_536)) return Promise.resolve('expected host:port');
  return new Promise(resolve => {
    const socket =
      tls === false
        ? connect({ host, port, timeout: timeoutMs })
        : connectTls({ host, port, timeout: timeoutMs, ...(tls !== true && tls) });
    const settle = (failure: string | null) => {
      socket.destroy();
      resolve(failure);
    };
    socket.once(tls === false ? 'connect' : 'secureConnect', () => settle(null));
    socket.once('timeout', () => settle(`no connection within ${timeoutMs / 1000} s`));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      settle(kafkaMistake(error) ?? error.code ?? error.message),
    );
  });
}
