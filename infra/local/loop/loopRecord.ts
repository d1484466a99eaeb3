import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../services/shared/userError.ts';
import type { ServerVariables } from '../namedServers.ts';
import { commandOf } from '../processes/commandOf.ts';

/** A process, and the command line that tells it from a later one with the same id. */
export interface RecordedProcess {
  pid: number;
  command: string;
}

/** A server or a service. */
export interface LoopPart extends RecordedProcess {
  name: string;
  /** Where it answers. */
  address: string;
  logFile: string;
}

/** Describes a running loop to other commands. The data folder of the loop holds it as a file. */
export interface LoopRecord {
  /** Started everything, and stops everything on SIGTERM. */
  starter: RecordedProcess;
  /** ISO 8601. */
  startedAt: string;
  /** Environment variables that name the servers; null until everything is up. */
  variables: ServerVariables | null;
  parts: LoopPart[];
}

const fileOf = (dir: string) => join(dir, 'running.json');

export function recordedProcess(pid: number): RecordedProcess {
  return { pid, command: commandOf(pid) ?? '' };
}

/** Returns those processes of a record that still run. */
export function runningProcesses({ starter, parts }: LoopRecord): RecordedProcess[] {
  return [starter, ...parts].filter(({ pid, command }) => commandOf(pid) === command);
}

/** Returns true unless the record was left behind by a starter that was cut off. */
export function isStarterRunning({ starter }: LoopRecord): boolean {
  return commandOf(starter.pid) === starter.command;
}

/** Reads the record of a data folder; null if there is none. */
export function readLoopRecord(dir: string): LoopRecord | null {
  try {
    return JSON.parse(readFileSync(fileOf(dir), 'utf8'));
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR'].includes(code)) return null;
    throw new UserError(
      `${fileOf(dir)} cannot be read (${(error as Error).message}): remove it if nothing runs there`,
      { cause: error },
    );
  }
}

/** @throws UserError if a loop runs with its data in the folder */
export function requireNoLoop(dir: string): void {
  const record = readLoopRecord(dir);
  if (record && isStarterRunning(record)) {
    throw new UserError(
      `Driftloop runs already with its data in ${dir} (process ${record.starter.pid}): stop it with "npx driftloop down --dir ${dir}", or choose another folder with --dir`,
    );
  }
}

/** Records a loop that begins to start. @throws UserError if the folder has a record already */
export function createLoopRecord(dir: string, record: LoopRecord): void {
  mkdirSync(dir, { recursive: true });
  try {
    writeFileSync(fileOf(dir), text(record), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new UserError(`another command is starting Driftloop in ${dir}`, { cause: error });
  }
}

/** Replaces the record of a folder. Readers see the old one or the new one, never a part of it. */
export function replaceLoopRecord(dir: string, record: LoopRecord): void {
  const unfinished = `${fileOf(dir)}.unfinished`;
  writeFileSync(unfinished, text(record));
  renameSync(unfinished, fileOf(dir));
}

export function removeLoopRecord(dir: string): void {
  rmSync(fileOf(dir), { force: true });
}

function text(record: LoopRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}
