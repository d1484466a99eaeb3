import { join } from 'node:path';
import type { LoopRecord } from '../../infra/local/loop/loopRecord.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { formatTable } from '../terminal/formatTable.ts';
import { defaultDir } from './upOptions.ts';

const projectFolder = join(import.meta.dirname, '..', '..');

/**
 * Describes a loop that runs: where its parts answer, how to point other commands at it, and what
 * to do next.
 * @param dir absolute path of its data folder
 */
export function loopText(record: LoopRecord, dir: string): string {
  const { starter, startedAt, variables, parts } = record;
  if (variables === null)
    return `It is still starting (process ${starter.pid}, since ${startedAt}). Log: ${join(dir, 'logs')}`;
  const { CLICKHOUSE_DATABASE: database } = readEnvironment({});
  return [
    `Driftloop is up (process ${starter.pid}, since ${startedAt}).`,
    '',
    formatTable(parts.map(({ name, address, logFile }) => ({ part: name, address, log: logFile }))),
    '',
    `Services answer /live, /ready and /metrics. Data, models and logs: ${dir}`,
    '',
    'Point commands and tests in another terminal at it:',
    '',
    ...Object.entries(variables).map(([name, value]) => `  export ${name}=${value}`),
    '',
    'Send a first prediction, and look at it:',
    '',
    `  cd ${projectFolder}`,
    '  npx node examples/firstPrediction.ts',
    '  npx driftloop status',
    `  curl -sS "$CLICKHOUSE_URL/?database=${database}" --data 'SELECT model, version, predictions FROM model_status FORMAT PrettyCompact'`,
    '',
    'Stop everything; the data stay for the next time:',
    '',
    `  npx driftloop down${dir === defaultDir ? '' : ` --dir ${dir}`}`,
  ].join('\n');
}
