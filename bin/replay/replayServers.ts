import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { libraryFolder } from '../../infra/local/libraryFolder.ts';
import { startLocalStack } from '../../infra/local/stack.ts';
import { UserError } from '../../services/shared/userError.ts';

const serverVariables = ['KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL', 'CLICKHOUSE_URL'] as const;

export interface ReplayServers {
  /** Environment variables that name the servers. */
  variables: Record<(typeof serverVariables)[number], string>;
  /** Whether they were started for this replay, and end with it. */
  own: boolean;
  /** Resolves with one line when a server of its own ends. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

/**
 * The servers that the environment names, or new ones on free ports with their data in a folder.
 * @throws UserError when only some are named, or one cannot be started
 */
export async function replayServers(
  dir: string,
  onProgress: (line: string) => void,
): Promise<ReplayServers> {
  const named = serverVariables.filter(name => process.env[name]);
  if (named.length === serverVariables.length) {
    const variables = Object.fromEntries(serverVariables.map(name => [name, process.env[name]!]));
    return {
      variables: variables as ReplayServers['variables'],
      own: false,
      ended: new Promise(() => {}),
      stop: async () => {},
    };
  }
  if (named.length > 0) {
    throw new UserError(
      `${named.join(' and ')} set, but not ${serverVariables.filter(name => !process.env[name]).join(' and ')}: set all three, or none to start servers for this replay`,
    );
  }
  await fetchServers();
  const stack = await startLocalStack({ dir, onProgress });
  return {
    variables: {
      KAFKA_BROKERS: stack.kafkaBrokers,
      SCHEMA_REGISTRY_URL: stack.schemaRegistryUrl,
      CLICKHOUSE_URL: stack.clickhouseUrl,
    },
    own: true,
    ended: stack.partEnded,
    stop: () => stack.stop(),
  };
}

/** Downloads Kafka and the schema registry when they are not there yet. */
async function fetchServers(): Promise<void> {
  try {
    libraryFolder('kafka');
    libraryFolder('registry');
    return;
  } catch (error) {
    // Missing is what a UserError says, and what the setup puts right.
    if (!(error instanceof UserError)) throw error;
  }
  const script = join(import.meta.dirname, '..', '..', 'infra', 'local', 'setup.mjs');
  const setup = spawn(process.execPath, [script], {
    stdio: ['ignore', process.stderr, process.stderr],
  });
  const [code] = await once(setup, 'exit');
  if (code !== 0) throw new UserError('the servers for this replay could not be set up, see above');
}
