import { resolve } from 'node:path';
import { fetchServers } from '../../infra/local/fetchServers.ts';
import { prepareDataFolder } from '../../infra/local/loop/dataFolder.ts';
import {
  isStarterRunning,
  readLoopRecord,
  removeLoopRecord,
} from '../../infra/local/loop/loopRecord.ts';
import { startLoop } from '../../infra/local/loop/startLoop.ts';
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
import { defaultDir, type UpOptions } from './upOptions.ts';

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
  const downOptions = dir === defaultDir ? '' : ` --dir ${dir}`;
  const record = readLoopRecord(dir);
  if (record && isStarterRunning(record)) {
    console.log(`Nothing to do. ${loopText(record, dir, downOptions)}`);
    return;
  }
  const config = options.config ?? readEnvironment().DRIFTLOOP_CONFIG;
  readSettings(config);
  const ports = localStackPorts();
  await claimPorts(ports);
  await fetchServers();
  if (options.detach) {
    const started = await startDetached({ ...options, dir }, progress, signal);
    console.log(loopText(started, dir, downOptions));
    return;
  }

  if (record) {
    progress.step(
      `the run of ${record.startedAt} was cut off (process ${record.starter.pid} is gone); its data are kept`,
    );
    await untilEnded(record);
    removeLoopRecord(dir);
  }
  await prepareDataFolder({ dir, marker, empty: options.empty ?? false });
  const failure = new AbortController();
  const loop = await startLoop({
    dir,
    ports,
    variables: config === undefined ? {} : { DRIFTLOOP_CONFIG: resolve(config) },
    onProgress: progress.step,
    onEnd: line => failure.abort(new UserError(withLastLogLines(line))),
    signal,
  });
  try {
    console.log(`\n${loopText(loop.record, dir, downOptions)}`);
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
