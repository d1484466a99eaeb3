import { fetchServers } from '../../infra/local/fetchServers.ts';
import { namedServers, type ServerVariables } from '../../infra/local/namedServers.ts';
import { startLocalStack } from '../../infra/local/stack.ts';

export interface ReplayServers {
  /** Environment variables that name the servers. */
  variables: ServerVariables;
  /** True if they were started for this replay and end with it. */
  own: boolean;
  /** Resolves with one line when a server that was started for this replay ends. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

/**
 * Returns the servers that the environment names, or starts new ones on free ports.
 * @param dir folder for the data of new servers
 * @throws UserError if only some are named, or one cannot be started
 */
export async function replayServers(
  dir: string,
  onProgress: (line: string) => void,
): Promise<ReplayServers> {
  const variables = namedServers();
  if (variables)
    return { variables, own: false, ended: new Promise(() => {}), stop: async () => {} };
  await fetchServers();
  const stack = await startLocalStack({ dir, onProgress });
  return { variables: stack.variables, own: true, ended: stack.partEnded, stop: stack.stop };
}
