import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { type Environment, readEnvironment } from '../../services/shared/config/environment.ts';
import type { DriftRequest } from '../../services/shared/contracts.ts';
import { answerTo } from '../servers/answerTo.ts';
import { publishRequest, requestedBy } from '../servers/publishRequest.ts';
import { requireServer } from '../servers/requireServer.ts';
import { withClickhouse } from '../servers/withServers.ts';
import { wholeNumber } from '../terminal/wholeNumber.ts';

interface AcceptOptions {
  note: string;
  timeout: number;
}

export function addDriftCommand(program: Command): void {
  const command = program.command('drift').description('Say something about a drift event.');
  command
    .command('accept')
    .argument('<model>', 'name of the model')
    .argument('<event>', 'id of an open drift event')
    .description('Accept the level since a drift as the new normal, so that its event ends.')
    .requiredOption('--note <text>', 'why; it is kept with the request')
    .option('--timeout <seconds>', 'wait at most this long for the answer', wholeNumber, 60)
    .addHelpText(
      'after',
      `
Later drifts are compared with the quality from then on. "driftloop status" shows the open events.

Example:
  driftloop drift accept churn 9f2c5a1e0b3d4c5f6a7b8c9d0e1f2a3b --note 'the new tariff'`,
    )
    .action((model: string, event: string, options: AcceptOptions) =>
      runAccept(readEnvironment(), model, event, options),
    );
}

async function runAccept(
  environment: Environment,
  model: string,
  driftEventId: string,
  { note, timeout }: AcceptOptions,
): Promise<void> {
  await requireServer(environment, 'SCHEMA_REGISTRY_URL');
  const seenUntil = await withClickhouse(environment, clickhouse =>
    selectSeenUntil(clickhouse, model, driftEventId),
  );
  const request: DriftRequest = {
    id: randomUUID(),
    model,
    action: 'accept',
    driftEventId,
    seenUntil,
    requestedBy: requestedBy(),
    note,
    time: Date.now(),
  };
  await publishRequest(environment, 'DriftRequest', request);
  console.log(await answerTo(environment, 'drift_requests', request, timeout));
}

/** Returns the end of the newest judged window of the version that drifted; null if none is known. */
async function selectSeenUntil(
  clickhouse: Clickhouse,
  model: string,
  driftEventId: string,
): Promise<number | null> {
  const [row] = await clickhouse.select<{ windows: number; seenUntil: number }>(
    `SELECT count() AS windows, toUnixTimestamp64Milli(max(window_end)) AS seenUntil
     FROM evaluated_windows
     WHERE model = {model:String} AND version IN
       (SELECT version FROM drift_events WHERE model = {model:String} AND id = {driftEventId:String})`,
    { model, driftEventId },
  );
  return row && row.windows > 0 ? row.seenUntil : null;
}
