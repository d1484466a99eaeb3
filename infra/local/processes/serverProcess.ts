import { type ChildProcess, type ChildProcessOptions, startChildProcess } from './childProcess.ts';
import { setOwner } from './dataFolderOwner.ts';
import { untilReady } from './untilReady.ts';

export interface ServerProcessOptions extends ChildProcessOptions {
  /** Absolute, and part of the command's arguments; see {@link setOwner}. */
  dataFolder: string;
  /** Asks the server; false or an error mean: not yet. */
  isReady(): Promise<boolean>;
}

/**
 * Starts a server and waits until it answers.
 * @throws UserError of one line when it does not; no process is left then
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
