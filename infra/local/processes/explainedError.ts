import { UserError } from '../../../services/shared/userError.ts';

/**
 * Turns an error of the file system into one line that says what to do. Other errors are returned
 * as they are.
 * @param dir folder that was written to
 */
export function explainedError(error: unknown, dir: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC')
    return new UserError(`the disk is full: make space for ${dir}`, { cause: error });
  if (code === 'EACCES' || code === 'EROFS' || code === 'ENOTDIR')
    return new UserError(`${dir} cannot be written to (${message}): choose another folder`, {
      cause: error,
    });
  return error;
}
