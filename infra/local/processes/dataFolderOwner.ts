import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { UserError } from '../../../services/shared/userError.ts';

const ownerFile = 'owner.pid';
const pollIntervalMs = 100;
/** A server whose starter was killed takes a moment to end. */
const longestWaitMs = 5_000;

/**
 * Makes a data folder and waits until no server uses it. Two on one folder would destroy its data: Kafka looks at its own lock only
 * after it has written to the log of its controller.
 * @throws UserError when a server stays on it
 */
export async function untilUnowned(name: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const deadlineMs = Date.now() + longestWaitMs;
  for (let owner = ownerOf(folder); owner !== null; owner = ownerOf(folder)) {
    if (Date.now() > deadlineMs) {
      throw new UserError(
        `${folder} is in use by another ${name} (process ${owner}): stop that one, or choose another folder`,
      );
    }
    await pause(pollIntervalMs);
  }
}

/** Notes which process uses the folder. The command of that process has to name the folder. */
export function setOwner(folder: string, pid: number): void {
  writeFileSync(join(folder, ownerFile), String(pid));
}

/** The running process that uses the folder, or null. Its command names the folder; another process with a reused id does not. */
function ownerOf(folder: string): string | null {
  const file = join(folder, ownerFile);
  if (!existsSync(file)) return null;
  const pid = readFileSync(file, 'utf8');
  const { stdout } = spawnSync('ps', ['-ww', '-o', 'args=', '-p', pid], { encoding: 'utf8' });
  return stdout?.includes(folder) ? pid : null;
}
