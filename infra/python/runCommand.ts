import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Runs a command to its end.
 * @returns its standard output
 * @throws Error with the last line of standard error if it fails
 */
export async function runCommand(command: string, args: string[]): Promise<string> {
  try {
    return (await run(command, args, { maxBuffer: 64 * 1024 ** 2 })).stdout;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    const lastLine = stderr?.trim().split('\n').at(-1);
    throw new Error(lastLine || message, { cause: error });
  }
}
