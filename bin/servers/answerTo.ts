import { setTimeout as pause } from 'node:timers/promises';
import type { Environment } from '../../services/shared/config/environment.ts';
import { UserError } from '../../services/shared/userError.ts';
import { withClickhouse } from './withServers.ts';

/** ClickHouse does not announce rows, so it is asked again after a pause. */
const pauseMs = 200;

interface AnswerRow {
  outcome: 'accepted' | 'refused';
  answer: string;
}

/**
 * Waits for the answer of the detector to a person's request.
 * @param table with the answers
 * @param timeout in seconds
 * @returns the answer, if the request was accepted
 * @throws UserError if it was refused, or was not answered in time
 */
export async function answerTo(
  environment: Environment,
  table: 'drift_requests' | 'alert_requests',
  { model, id }: { model: string; id: string },
  timeout: number,
): Promise<string> {
  const deadlineMs = performance.now() + timeout * 1000;
  return withClickhouse(environment, async clickhouse => {
    for (;;) {
      const [row] = await clickhouse.select<AnswerRow>(
        `SELECT outcome, answer FROM ${table} FINAL
         WHERE model = {model:String} AND request_id = {id:String}`,
        { model, id },
      );
      if (row?.outcome === 'refused') throw new UserError(`refused: ${row.answer}`);
      if (row) return row.answer;
      if (performance.now() > deadlineMs)
        throw new UserError(
          `no answer within ${timeout} s to request ${id}; it stands, and the detector answers it when it runs: SELECT * FROM ${table} FINAL WHERE request_id = '${id}'`,
        );
      await pause(pauseMs);
    }
  });
}
