import { createServer } from 'node:net';
import { UserError } from '../../../services/shared/userError.ts';

export const localHost = '127.0.0.1';

/**
 * Below the ports that systems give to outgoing connections, so that none of those takes a port
 * between its choice and its use.
 */
const minFreePort = 20_000;
const maxFreePort = 32_000;
const maxAttempts = 50;

/**
 * Returns a port that a server can listen on.
 * @param wanted 0 means any free port
 * @param variable environment variable that chooses another port
 * @throws UserError if the wanted port is taken
 */
export async function claimPort(name: string, wanted: number, variable: string): Promise<number> {
  if (wanted === 0) return freePort();
  const failure = await listenFailure(wanted);
  if (failure === null) return wanted;
  const reason =
    failure === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${failure})`;
  throw new UserError(
    `port ${wanted} for ${name} ${reason}: stop that program, or choose another port with ${variable}`,
  );
}

/**
 * Returns a free port of this machine. Two callers at the same time get the same one with a
 * probability of about 1 in 10,000.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const port = minFreePort + Math.floor(Math.random() * (maxFreePort - minFreePort));
    if ((await listenFailure(port)) === null) return port;
  }
  throw new UserError(`found no free port between ${minFreePort} and ${maxFreePort}`);
}

function listenFailure(port: number): Promise<string | null> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host: localHost }, () => server.close(() => resolve(null)));
  });
}
