import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../services/shared/userError.ts';

/**
 * Returns the folder of a server that setup.mjs has fetched.
 * @throws UserError if it has not been fetched
 */
export function libraryFolder(part: 'kafka' | 'registry' | 's3proxy'): string {
  const folder = join(import.meta.dirname, '..', '..', '.driftloop', 'lib', part);
  if (!existsSync(join(folder, '.stamp'))) {
    throw new UserError(
      `${folder} is missing: run "node infra/local/setup.mjs --tests" once (npm start and npm test do it)`,
    );
  }
  return folder;
}
