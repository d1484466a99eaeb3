import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { UserError } from '../../services/shared/userError.ts';
import { libraryFolder } from './libraryFolder.ts';

/**
 * Downloads Kafka and the schema registry if they are missing; setup.mjs says on standard error
 * how far it is.
 * @throws UserError if that fails
 */
export async function fetchServers(): Promise<void> {
  try {
    libraryFolder('kafka');
    libraryFolder('registry');
    return;
  } catch (error) {
    // A UserError says that one is missing, which setup.mjs puts right.
    if (!(error instanceof UserError)) throw error;
  }
  const setup = spawn(process.execPath, [join(import.meta.dirname, 'setup.mjs')], {
    stdio: ['ignore', process.stderr, process.stderr],
  });
  const [code] = await once(setup, 'exit');
  if (code !== 0)
    throw new UserError('Kafka and the schema registry could not be fetched, see above');
}
