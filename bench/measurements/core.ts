import { join } from 'node:path';
import { installedPeers, type Peer } from '../../infra/peers/peerEnvironments.ts';
import type { Measurement, Round } from '../harness/measurement.ts';
import { cellsPerSecond, peerCellsPerSecond, withColumns } from '../peers/peerRun.ts';

/** scouter-ml is written in Rust, so its own speed is the target. */
const targets: Record<string, number> = { 'scouter-ml': 1 };
const targetOfPythonPeers = 2;
const program = join(import.meta.dirname, '..', 'processes', 'core.ts');

/**
 * Measures the pure core against other tools on the same rows in memory: rows → window profiles →
 * all drift metrics.
 */
export const core: Measurement = {
  name: 'core',
  async run({ quick, onProgress }) {
    const windows = quick ? 15 : 60;
    const missing: string[] = [];
    const onFailure = (name: string, reason: string) =>
      missing.push(`${name} could not be installed: ${reason}`);
    const peers = quick ? [] : await installedPeers(onFailure);
    return withColumns(windows, async folder => {
      const rounds = new Map<Peer, Round[]>(peers.map(peer => [peer, []]));
      const own: Round[] = [];
      for (let round = 0; round < (quick ? 1 : 5); round++) {
        const value = await cellsPerSecond(process.execPath, [program, String(windows)]);
        own.push({ value, baseline: null });
        onProgress(`Driftloop: ${Math.round(value)} cells/s`);
        for (const [peer, ofPeer] of rounds) {
          try {
            const baseline = await peerCellsPerSecond(peer, folder);
            ofPeer.push({ value, baseline });
            onProgress(`${peer.name}: ${Math.round(baseline)} cells/s`);
          } catch (error) {
            // The other tools can be compared all the same.
            missing.push(`${peer.name} failed: ${(error as Error).message}`);
            rounds.delete(peer);
          }
        }
      }
      const unit = 'cells per CPU second';
      return [
        {
          name: 'pure core',
          unit,
          rounds: own,
          target: null,
          note: missing.join('; ') || undefined,
        },
        ...[...rounds].map(([{ name, version }, ofPeer]) => ({
          name: `pure core; baseline: ${name} ${version}`,
          unit,
          rounds: ofPeer,
          target: { atLeast: targets[name] ?? targetOfPythonPeers },
        })),
      ];
    });
  },
};
