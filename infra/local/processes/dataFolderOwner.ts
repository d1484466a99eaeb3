import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { UserError } from '../../../services/shared/userError.ts';
import { commandOf } from './commandOf.ts';

const ownerFile = 'owner.pid';
const pollIntervalMs = 100;
/** A server whose starter was killed takes a moment to end. */
const maxWaitMs = 5_000;

/**
 * Creates a data folder if it is missing, and waits until no server uses it. Two servers on one
 * folder would destroy its data: Kafka looks at its own lock only after it has written to the log
 * of its controller.
 * @throws UserError if a server stays on it
 */
export async function untilUnowned(name: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const deadlineMs = Date.now() + maxWaitMs;
  for (let owner = ownerOf(folder); owner !== null; owner = ownerOf(folder)) {
    if (Date.now() > deadlineMs) {
      throw new UserError(
        `${folder} is in use by another ${name} (process ${owner}): stop that one, or choose another folder`,
      );
    }
    await pause(pollIntervalMs);
  }
}

/** Records which process uses the folder. The command line of that process must name the folder. */
export function setOwner(folder: string, pid: number): void {
  writeFileSync(join(folder, ownerFile), String(pid));
}

/**
 * Returns the id of the running process that uses the folder, or null. Another process that has
 * got the same id later does not name the folder in its command line.
 */
function ownerOf(folder: string): string | null {
  const file = join(folder, ownerFile);
  if (!existsSync(file)) return null;
  const pid = readFileSync(file, 'utf8');
  return commandOf(Number(pid))?.includes(folder) ? pid : null;
}
