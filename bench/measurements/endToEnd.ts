import { installedPeers } from '../../infra/peers/peerEnvironments.ts';
import { type BenchInstallation, withInstallation } from '../harness/benchInstallation.ts';
import type { Measurement, Round } from '../harness/measurement.ts';
import { processCpuMs } from '../harness/processCpu.ts';
import { peerCellsPerSecond, withColumns } from '../peers/peerRun.ts';
import { predictionStream, recordsPerMinute } from '../streams/predictionStream.ts';
import { producePredictions } from '../streams/producePredictions.ts';

const columns = 13;
const comparedWith = ['whylogs', 'evidently'];

/**
 * Measures the way from Kafka to rows of drift_metrics on real servers, with raw rows, against
 * other tools that have their rows in memory.
 */
export const endToEnd: Measurement = {
  name: 'end-to-end',
  async run({ quick, servers, onProgress }) {
    const windows = quick ? 15 : 60;
    const stack = await servers();
    const onFailure = (name: string, reason: string) => onProgress(`${name}: ${reason}`);
    const peers = (quick ? [] : await installedPeers(onFailure)).filter(({ name }) =>
      comparedWith.includes(name),
    );
    return withColumns(windows, async folder => {
      const rounds = new Map<string, Round[]>(
        peers.map(({ name, version }) => [`${name} ${version}`, []]),
      );
      const own: Round[] = [];
      for (let round = 0; round < (quick ? 1 : 3); round++) {
        const value = await withInstallation(
          stack,
          `end_to_end_${round}`,
          'defaults: { window: 1m }\n',
          installation => cellsPerSecond(installation, windows),
        );
        own.push({ value, baseline: null });
        onProgress(`from Kafka to drift_metrics: ${Math.round(value)} cells/s`);
        for (const peer of peers) {
          rounds
            .get(`${peer.name} ${peer.version}`)!
            .push({ value, baseline: await peerCellsPerSecond(peer, folder) });
        }
      }
      const unit = 'cells per CPU second';
      return [
        { name: 'Kafka to drift_metrics, profiler and detector', unit, rounds: own, target: null },
        ...[...rounds].map(([name, ofPeer]) => ({
          name: `Kafka to drift_metrics; baseline: ${name} in memory`,
          unit,
          rounds: ofPeer,
          target: { atLeast: 1 },
        })),
      ];
    });
  },
};

/**
 * Measures the windows after the first quarter, in which code is compiled and the reference is
 * gathered.
 */
async function cellsPerSecond(installation: BenchInstallation, windows: number): Promise<number> {
  const services = ['profiler', 'detector'] as const;
  const processes = await Promise.all(services.map(installation.startService));
  const cpuMs = () => processes.reduce((total, { pid }) => total + processCpuMs(pid), 0);
  const predictionOf = predictionStream();
  const warmUp = Math.ceil(windows / 4) * recordsPerMinute;
  const records = windows * recordsPerMinute;
  await producePredictions(installation, predictionOf, warmUp);
  await installation.untilQuiet(...services);
  const before = cpuMs();
  await producePredictions(installation, predictionOf, records, warmUp);
  await installation.untilQuiet(...services);
  const used = cpuMs() - before;
  const [stored] = await installation.clickhouse.select<{ metrics: number }>(
    'SELECT count() AS metrics FROM drift_metrics FINAL',
  );
  if (stored!.metrics < windows * columns)
    throw new Error(`only ${stored!.metrics} metrics of ${windows} windows`);
  return ((records - warmUp) * columns * 1000) / used;
}
