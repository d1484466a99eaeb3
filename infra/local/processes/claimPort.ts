import { createServer } from 'node:net';
import { UserError } from '../../../services/shared/userError.ts';

export const localHost = '127.0.0.1';

/** Below the ports that systems hand out to outgoing connections, so that none of those takes a port between its choice and its use. */
const firstFreePort = 20_000;
const lastFreePort = 32_000;
const attempts = 50;

/**
 * A port that a part of the stack can listen on.
 * @param wanted 0: any free one
 * @param variable environment variable that chooses another
 * @throws UserError when the wanted one is taken
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

/** A free port of this machine. Two callers at the same time get different ones, but for a chance of one in thousands. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = firstFreePort + Math.floor(Math.random() * (lastFreePort - firstFreePort));
    if ((await listenFailure(port)) === null) return port;
  }
  throw new UserError(`no free port found between ${firstFreePort} and ${lastFreePort}`);
}

function listenFailure(port: number): Promise<string | null> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host: localHost }, () => server.close(() => resolve(null)));
  });
}
