import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { type Environment, readEnvironment } from '../../services/shared/config/environment.ts';
import type { RetrainRequest } from '../../services/shared/contracts.ts';
import { UserError } from '../../services/shared/userError.ts';
import { publishRequest, requestedBy } from '../servers/publishRequest.ts';
import { requireServer } from '../servers/requireServer.ts';
import { withClickhouse } from '../servers/withServers.ts';

export function addRetrainCommand(program: Command): void {
  program
    .command('retrain')
    .argument('<model>', 'name of the model')
    .description('Ask the retrainer for a new version of a model.')
    .addHelpText(
      'after',
      `
The command prints the id of the request. ClickHouse then says what became of it:
  SELECT * FROM lineage WHERE cause_id = '<id>'

Example:
  driftloop retrain churn`,
    )
    .action(runRetrain);
}

async function runRetrain(model: string): Promise<void> {
  const environment = readEnvironment();
  await requireKnownModel(environment, model);
  await requireServer(environment, 'SCHEMA_REGISTRY_URL');
  const request: RetrainRequest = {
    id: randomUUID(),
    model,
    reason: 'manual',
    requestedBy: requestedBy(),
    time: Date.now(),
  };
  await publishRequest(environment, 'RetrainRequest', request);
  console.log(`asked for a new version of ${model}: request ${request.id}`);
}

async function requireKnownModel(environment: Environment, model: string): Promise<void> {
  const known = await withClickhouse(environment, clickhouse =>
    clickhouse.select<{ model: string }>(
      'SELECT DISTINCT model FROM stream_progress ORDER BY model',
    ),
  );
  if (known.some(row => row.model === model)) return;
  const names = known.map(row => row.model).slice(0, 20);
  throw new UserError(
    `no prediction of model ${JSON.stringify(model)} has been seen; known: ${names.join(', ') || '(none)'}`,
  );
}
