import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Peer } from '../../infra/peers/peerEnvironments.ts';
import { runCommand } from '../../infra/python/runCommand.ts';
import { predictionStream, recordsPerMinute } from '../streams/predictionStream.ts';
import { writeColumns } from '../streams/writeColumns.ts';

const referenceWindows = 10;

/** Writes the rows of windows into a folder, which is removed when `use` ends. */
export async function withColumns<T>(
  windows: number,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-bench-columns-'));
  try {
    const predictionOf = predictionStream();
    writeColumns({
      folder,
      predictionOf,
      recordsPerWindow: recordsPerMinute,
      windows,
      referenceWindows,
    });
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs another tool on the rows. */
export function peerCellsPerSecond({ name, python }: Peer, columnsFolder: string): Promise<number> {
  return cellsPerSecond(python, [join(import.meta.dirname, `${name}.py`), columnsFolder]);
}

/** Runs a program that prints its cells and CPU time as its last line. */
export async function cellsPerSecond(command: string, args: string[]): Promise<number> {
  const lastLine = (await runCommand(command, args)).trim().split('\n').at(-1)!;
  const { cells, cpuMs } = JSON.parse(lastLine) as { cells: number; cpuMs: number };
  return (cells * 1000) / cpuMs;
}
