import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../services/shared/userError.ts';

/**
 * Folder of one of the Java parts that setup.mjs has fetched.
 * @throws UserError when it has not
 */
export function libraryFolder(part: 'kafka' | 'registry'): string {
  const folder = join(import.meta.dirname, '..', '..', '.driftloop', 'lib', part);
  if (!existsSync(join(folder, '.stamp'))) {
    throw new UserError(
      `${folder} is missing: run "node infra/local/setup.mjs" once (npm start and npm test do it)`,
    );
  }
  return folder;
}
