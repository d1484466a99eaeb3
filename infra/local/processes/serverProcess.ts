import { type ChildProcess, type ChildProcessOptions, startChildProcess } from './childProcess.ts';
import { setOwner } from './dataFolderOwner.ts';
import { untilReady } from './untilReady.ts';

export interface ServerProcessOptions extends ChildProcessOptions {
  /** Absolute path, which the arguments of the command must contain; see {@link setOwner}. */
  dataFolder: string;
  /** Asks the server whether it is ready. False and an error both mean that it is not. */
  isReady(): Promise<boolean>;
}

/**
 * Starts a server and waits until it is ready.
 * @throws UserError of one line if it does not get ready; no process is left then
 */
export async function startServerProcess({
  dataFolder,
  isReady,
  ...options
}: ServerProcessOptions): Promise<ChildProcess> {
  const child = startChildProcess(options);
  try {
    setOwner(dataFolder, child.pid);
    await untilReady(child, isReady);
    return child;
  } catch (error) {
    await child.stop();
    throw error;
  }
}
