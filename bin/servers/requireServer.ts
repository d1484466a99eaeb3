import { connect } from 'node:net';
import type { Environment } from '../../services/shared/config/environment.ts';
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

/**
 * Fails at once where a client would try again for a minute.
 * @throws UserError of one line when nothing listens at the address
 */
export async function requireServer(
  environment: Environment,
  variable: keyof typeof servers,
): Promise<void> {
  const { name, addresses } = servers[variable];
  const value = environment[variable];
  const failures: string[] = [];
  for (const address of addresses(value)) {
    const failure = await connectionFailure(address);
    if (failure === null) return;
    failures.push(failure);
  }
  throw new UserError(
    `${name} does not answer at ${value} (${failures.join('; ')}): start it, or set ${variable}`,
  );
}

function addressOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}

function connectionFailure(address: string): Promise<string | null> {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = Number(address.slice(colon + 1));
  if (colon < 1 || !(port > 0 && port < 65_536)) return Promise.resolve('expected host:port');
  return new Promise(resolve => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const settle = (failure: string | null) => {
      socket.destroy();
      resolve(failure);
    };
    socket.once('connect', () => settle(null));
    socket.once('timeout', () => settle(`no connection within ${timeoutMs / 1000} s`));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
  });
}
