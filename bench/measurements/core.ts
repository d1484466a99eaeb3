import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Measurement, Round } from '../measurement.ts';
import { installedPeers, type Peer, peersFolder } from '../peerEnvironments.ts';
import { predictionStream, recordsPerMinute } from '../predictionStream.ts';
import { runCommand } from '../runCommand.ts';
import { writeColumns } from '../writeColumns.ts';

/** Of scouter-ml, which is Rust inside, as much is asked as it does itself. */
const targets: Record<string, number> = { 'scouter-ml': 1 };
const targetOfPythonPeers = 2;

/** The pure core against the peers, on the same rows in memory: rows → window profiles → all drift metrics. */
export const core: Measurement = {
  name: 'core',
  async run({ quick, onProgress }) {
    const windows = quick ? 20 : 60;
    const notes: string[] = [];
    const peers = await installedPeers((name, reason) => notes.push(`${name} could not be installed: ${reason}`));
    for (const note of notes) onProgress(note);
    const folder = await mkdtemp(join(tmpdir(), 'driftloop-bench-core-'));
    try {
      writeColumns({
        folder,
        predictionOf: predictionStream(),
        recordsPerWindow: recordsPerMinute,
        windows,
        referenceWindows: 10,
      });
      const rounds = new Map<Peer, Round[]>(peers.map(peer => [peer, []]));
      const own: Round[] = [];
      for (let round = 0; round < (quick ? 1 : 5); round++) {
        const value = await cellsPerSecond(process.execPath, [
          join(import.meta.dirname, '..', 'processes', 'core.ts'),
          String(windows),
        ]);
        own.push({ value, baseline: null });
        onProgress(`Driftloop: ${Math.round(value)} cells/s`);
        for (const [peer, rounds_] of rounds) {
          const baseline = await cellsPerSecond(peer.python, [join(peersFolder, `${peer.name}.py`), folder]);
          rounds_.push({ value, baseline });
          onProgress(`${peer.name}: ${Math.round(baseline)} cells/s`);
        }
      }
      const unit = 'cells per CPU second';
      return [
        { name: 'pure core', unit, rounds: own, target: null, note: notes.join('; ') || undefined },
        ...[...rounds].map(([{ name, version }, ofPeer]) => ({
          name: `pure core; baseline: ${name} ${version}`,
          unit,
          rounds: ofPeer,
          target: { atLeast: targets[name] ?? targetOfPythonPeers },
        })),
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function cellsPerSecond(command: string, args: string[]): Promise<number> {
  const lastLine = (await runCommand(command, args)).trim().split('\n').at(-1)!;
  const { cells, cpuMs } = JSON.parse(lastLine) as { cells: number; cpuMs: number };
  return (cells * 1000) / cpuMs;
}
