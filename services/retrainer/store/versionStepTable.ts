import { type Clickhouse, clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import type { VersionRequest } from '../../shared/contracts.ts';
import type { AnsweredRequest, VersionState } from '../versions/modelState.ts';

interface StepRow {
  sequence: number;
  step: number;
  request_id: string;
  action: VersionRequest['action'];
  outcome: 'accepted' | 'refused';
  version: string;
  expected_champion: string | null;
  state_before: VersionState | '';
  state: VersionState | '';
  changed_by: string;
  note: string | null;
  reason: string;
  requestedAtMs: number;
  atMs: number;
}

/** The table version_steps. */
export class VersionStepTable {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  /** Returns the requests of a model that were answered, in their order. */
  async selectAnswered(model: string): Promise<AnsweredRequest[]> {
    const rows = await this.#clickhouse.select<StepRow>(
      `SELECT sequence, step, request_id, action, outcome, version, expected_champion, state_before,
              state, changed_by, note, reason, toUnixTimestamp64Milli(requested_at) AS requestedAtMs,
              toUnixTimestamp64Milli(at) AS atMs
       FROM version_steps FINAL WHERE model = {model:String} ORDER BY sequence, step`,
      { model },
    );
    return [...Map.groupBy(rows, row => row.sequence).values()].map(ofRequest =>
      answeredRequest(model, ofRequest),
    );
  }

  /** Returns the number of the last request of a model, or 0 if none was answered. */
  async selectLastSequence(model: string): Promise<number> {
    const [row] = await this.#clickhouse.select<{ last: number }>(
      'SELECT max(sequence) AS last FROM version_steps WHERE model = {model:String}',
      { model },
    );
    return row!.last;
  }

  /**
   * Inserts an answer with its steps. All rows are in one block, so either all of them are there or
   * none.
   */
  async insert({ sequence, request, answeredAtMs, ...answered }: AnsweredRequest): Promise<void> {
    const ofAll = {
      model: request.model,
      sequence,
      request_id: request.id,
      action: request.action,
      outcome: answered.accepted ? 'accepted' : 'refused',
      expected_champion: request.expectedChampion,
      changed_by: request.requestedBy,
      note: request.note,
      requested_at: clickhouseTime(request.time),
      at: clickhouseTime(answeredAtMs),
    };
    await this.#clickhouse.insert('version_steps', [
      { ...ofAll, step: 0, version: request.version ?? '', reason: answered.answer },
      ...answered.steps.map(({ version, stateBefore, state, reason }, index) => ({
        ...ofAll,
        step: index + 1,
        version,
        state_before: stateBefore ?? '',
        state,
        reason,
      })),
    ]);
  }
}

function answeredRequest(model: string, rows: readonly StepRow[]): AnsweredRequest {
  const [answer, ...steps] = rows as [StepRow, ...StepRow[]];
  return {
    sequence: answer.sequence,
    request: {
      id: answer.request_id,
      model,
      action: answer.action,
      version: answer.version === '' ? null : answer.version,
      expectedChampion: answer.expected_champion,
      requestedBy: answer.changed_by,
      note: answer.note,
      time: answer.requestedAtMs,
    },
    answeredAtMs: answer.atMs,
    accepted: answer.outcome === 'accepted',
    answer: answer.reason,
    steps: steps.map(({ sequence, version, state_before, state, reason }) => ({
      sequence,
      version,
      stateBefore: state_before === '' ? null : state_before,
      state: state as VersionState,
      reason,
    })),
  };
}
