import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { claimPort } from '../../infra/local/processes/claimPort.ts';
import { untilUnowned } from '../../infra/local/processes/dataFolderOwner.ts';
import { UserError } from '../../services/shared/userError.ts';

const markerFile = 'made-by-the-electricity-demo';
const neededBytes = 500 * 1024 ** 2;

export interface DemoPorts {
  kafka: number;
  registry: number;
  clickhouse: number;
}

/**
 * Gives the demo an empty folder; what an earlier run has left in it is removed.
 * @throws UserError when a run is still using the folder or a port, when the folder holds something else, or the disk is full
 */
export async function emptyDemoFolder(dir: string, ports: DemoPorts): Promise<void> {
  await claimPort('Kafka', ports.kafka, 'DRIFTLOOP_KAFKA_PORT');
  await claimPort('the schema registry', ports.registry, 'DRIFTLOOP_REGISTRY_PORT');
  await claimPort('ClickHouse', ports.clickhouse, 'DRIFTLOOP_CLICKHOUSE_PORT');
  await mkdir(dir, { recursive: true });
  const found = await readdir(dir);
  if (found.length > 0 && !existsSync(join(dir, markerFile))) {
    throw new UserError(
      `${dir} holds files that no earlier run has made: choose another folder with --dir`,
    );
  }
  for (const part of ['kafka', 'registry', 'clickhouse']) await untilUnowned(part, join(dir, part));
  // The marker goes last, so that a run that is cut off here can be repeated.
  for (const name of await readdir(dir)) {
    if (name !== markerFile) await rm(join(dir, name), { recursive: true, force: true });
  }
  await writeFile(join(dir, markerFile), '');
  const { bavail, bsize } = await statfs(dir);
  if (bavail * bsize < neededBytes) {
    throw new UserError(
      `the disk of ${dir} has ${Math.round((bavail * bsize) / 1024 ** 2)} MB left, and the demo needs ${neededBytes / 1024 ** 2} MB: make space`,
    );
  }
}
