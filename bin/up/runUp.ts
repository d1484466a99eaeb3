import { resolve } from 'node:path';
import { fetchServers } from '../../infra/local/fetchServers.ts';
import { prepareDataFolder } from '../../infra/local/loop/dataFolder.ts';
import {
  isStarterRunning,
  type LoopRecord,
  readLoopRecord,
  removeLoopRecord,
} from '../../infra/local/loop/loopRecord.ts';
import { startLoop } from '../../infra/local/loop/startLoop.ts';
import { explainedError } from '../../infra/local/processes/explainedError.ts';
import { claimPorts, localStackPorts } from '../../infra/local/processes/localStackPorts.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import { UserError } from '../../services/shared/userError.ts';
import { untilAborted } from '../terminal/interruption.ts';
import { withLastLogLines } from '../terminal/lastLogLines.ts';
import type { Progress } from '../terminal/progress.ts';
import { loopText } from './loopText.ts';
import { startDetached } from './startDetached.ts';
import { untilEnded } from './stopLoop.ts';
import type { UpOptions } from './upOptions.ts';

/** Name of the file that shows that this command made the folder. */
const marker = 'made-by-driftloop-up';

/**
 * Starts servers and services, says where they are, and keeps them up until `signal`. Says so and
 * returns if they are up already.
 * @throws UserError if something cannot start or ends by itself; nothing is left running then
 */
export async function runUp(
  options: UpOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const dir = resolve(options.dir);
  const record = readLoopRecord(dir);
  if (record && isStarterRunning(record)) {
    console.log(`Nothing to do. ${loopText(record, dir)}`);
    return;
  }
  const config = options.config ?? readEnvironment().DRIFTLOOP_CONFIG;
  readSettings(config);
  await claimPorts(localStackPorts());
  await fetchServers();
  try {
    if (options.detach)
      console.log(loopText(await startDetached({ ...options, dir }, progress, signal), dir));
    else {
      if (record) await untilCutOffRunEnded(record, dir, progress);
      await prepareDataFolder({ dir, marker, empty: options.empty ?? false });
      await keepUp(dir, config, progress, signal);
    }
  } catch (error) {
    throw explainedError(error, dir);
  }
}

/** Waits for the end of what a starter left running when it was killed. */
async function untilCutOffRunEnded(
  record: LoopRecord,
  dir: string,
  progress: Progress,
): Promise<void> {
  const { startedAt, starter } = record;
  progress.step(
    `the run of ${startedAt} was cut off (process ${starter.pid} is gone); its data are kept`,
  );
  await untilEnded(record);
  removeLoopRecord(dir);
}

async function keepUp(
  dir: string,
  config: string | undefined,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const loop = await startLoop({
    dir,
    ports: localStackPorts(),
    variables: config === undefined ? {} : { DRIFTLOOP_CONFIG: resolve(config) },
    onProgress: progress.step,
    onEnd: line => failure.abort(new UserError(withLastLogLines(line))),
    signal,
  });
  try {
    console.log(`\n${loopText(loop.record, dir)}`);
    progress.step('\nCtrl-C stops everything; a second one does so at once.');
    await untilAborted(AbortSignal.any([signal, failure.signal]));
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    progress.step('stopping services and servers ...');
    await loop.stop();
    progress.step(`stopped; data, models and logs stay in ${dir}`);
  }
}
