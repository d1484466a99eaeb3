import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import type { VersionRequest } from '../../services/shared/contracts.ts';
import { UserError } from '../../services/shared/userError.ts';
import { publishRequest, requestedBy } from '../servers/publishRequest.ts';
import { requireServer } from '../servers/requireServer.ts';
import { withClickhouse } from '../servers/withServers.ts';
import { type RequestRow, selectAnswer } from './versionQueries.ts';

export type PersonsRequest = Pick<
  VersionRequest,
  'model' | 'action' | 'version' | 'expectedChampion' | 'note'
>;

/** ClickHouse does not announce rows, so it is asked again after a pause. */
const pauseMs = 200;

/**
 * Sends a person's request for a change of a version, and waits for the retrainer's answer.
 * @throws UserError with the answer if the request was refused, or if none came in time
 */
export async function requestVersion(
  environment: Environment,
  asked: PersonsRequest,
  timeoutMs: number,
): Promise<RequestRow> {
  await requireServer(environment, 'SCHEMA_REGISTRY_URL');
  const request: VersionRequest = {
    ...asked,
    id: randomUUID(),
    requestedBy: requestedBy(),
    time: Date.now(),
  };
  await publishRequest(environment, 'VersionRequest', request);
  const answer = await withClickhouse(environment, clickhouse =>
    untilAnswered(clickhouse, request, performance.now() + timeoutMs),
  );
  if (answer === null)
    throw new UserError(
      `no answer within ${timeoutMs / 1000} s to request ${request.id}; it stands, and the retrainer answers it when it runs and has ended its training: SELECT * FROM version_requests WHERE request_id = '${request.id}'`,
    );
  if (answer.outcome === 'refused') throw new UserError(`refused: ${answer.answer}`);
  return answer;
}

async function untilAnswered(
  clickhouse: Clickhouse,
  { model, id }: VersionRequest,
  deadlineMs: number,
): Promise<RequestRow | null> {
  for (;;) {
    const answer = await selectAnswer(clickhouse, model, id);
    if (answer !== null || performance.now() > deadlineMs) return answer;
    await pause(pauseMs);
  }
}
