import type { Alert, AlertRequest } from '../shared/contracts.ts';
import type { KafkaRecord } from '../shared/kafka/kafka.ts';
import { checkRequestTexts } from '../shared/records/checkRequestTexts.ts';
import { decodeOrDeadLetter } from '../shared/service/decodeOrDeadLetter.ts';
import type { ServiceContext } from '../shared/service/service.ts';
import { versionKey } from '../shared/versionKey.ts';
import type { ChangedWindows } from './changedWindows.ts';
import { alertAfterAct } from './events/alertLifecycle.ts';
import { type AlertAct, decideOnAlertRequest } from './events/decideOnAlertRequest.ts';
import type { DetectorStore } from './store/store.ts';

type AnswerContext = Pick<ServiceContext, 'schemas' | 'settings' | 'log' | 'deadLetters'>;

/**
 * Answers requests about alerts. As with those about drift events, the stored answer decides, and
 * whoever judges the version is told to look: a window of it is announced as changed.
 */
export class AlertRequests {
  readonly #context: AnswerContext;
  readonly #store: DetectorStore;
  readonly #changed: ChangedWindows;

  constructor(context: AnswerContext, store: DetectorStore, changed: ChangedWindows) {
    this.#context = context;
    this.#store = store;
    this.#changed = changed;
  }

  async answer(records: readonly KafkaRecord[]): Promise<void> {
    const requests = await decodeOrDeadLetter(
      records,
      'AlertRequest',
      this.#context,
      ({ id, model, alertId, requestedBy, note }) =>
        checkRequestTexts({ id, model, alertId, requestedBy }, note),
    );
    for (const { value: request, record } of requests)
      await this.#answerOne(request, record.timestampMs);
  }

  async #answerOne(request: AlertRequest, recordMs: number): Promise<void> {
    const { model, action, alertId, requestedBy } = request;
    const alert = await this.#store.alert(model, alertId);
    let answer = await this.#store.alertAnswer(model, request.id);
    if (answer === null) {
      // What was answered before may not be in the alert yet.
      const acts = alert ? await this.#actsOn(alert) : [];
      const current =
        alert && acts.reduce((known, act) => alertAfterAct(known, act) ?? known, alert);
      answer = decideOnAlertRequest(request, current, recordMs);
      // Two acts never have the same time, so that their order is known.
      const answeredAtMs = Math.max(recordMs, (acts.at(-1)?.answeredAtMs ?? 0) + 1);
      await this.#store.insertAlertAnswer(request, answer, answeredAtMs);
      const { accepted, answer: text } = answer;
      this.#context.log.info(
        { model, action, alertId, requestedBy, accepted, answer: text },
        'alert request',
      );
    }
    if (alert && answer.accepted && action !== 'not_useful')
      await this.#changed.announceNewest(alert, alert.openedAtEventTime);
  }

  async #actsOn(alert: Alert): Promise<readonly AlertAct[]> {
    const acts = (await this.#store.alertActs([alert])).get(versionKey(alert)) ?? [];
    return acts.filter(({ alertId }) => alertId === alert.id);
  }
}
