import type { DriftRequest } from '../shared/contracts.ts';
import type { KafkaRecord } from '../shared/kafka/kafka.ts';
import { checkRequestTexts } from '../shared/records/checkRequestTexts.ts';
import { decodeOrDeadLetter } from '../shared/service/decodeOrDeadLetter.ts';
import type { ServiceContext } from '../shared/service/service.ts';
import type { ChangedWindows } from './changedWindows.ts';
import { decideOnDriftRequest, type KnownDrift } from './events/decideOnDriftRequest.ts';
import type { DetectorStore } from './store/store.ts';

type AnswerContext = Pick<ServiceContext, 'schemas' | 'settings' | 'log' | 'deadLetters'>;

/**
 * Answers requests about drift events.
 *
 * The stored answer decides, and whoever gets the request again gives the same one. It is stored
 * before it is announced, as the rows of windows are: the labels of the window at which the drift
 * ends are announced as changed, to whoever judges the version. So the end is computed in the fold,
 * as everything else that windows lead to.
 */
export class DriftRequests {
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
      'DriftRequest',
      this.#context,
      ({ id, model, driftEventId, requestedBy, note }) =>
        checkRequestTexts({ id, model, driftEventId, requestedBy }, note),
    );
    for (const { value: request, record } of requests)
      await this.#answerOne(request, record.timestampMs);
  }

  async #answerOne(request: DriftRequest, answeredAtMs: number): Promise<void> {
    const { model, action, driftEventId, requestedBy } = request;
    let answer = await this.#store.driftAnswer(model, request.id);
    if (answer === null) {
      answer = decideOnDriftRequest(request, await this.#knownDrift(request));
      await this.#store.insertDriftAnswer(request, answer, answeredAtMs);
      const { accepted, answer: text } = answer;
      this.#context.log.info(
        { model, action, driftEventId, requestedBy, accepted, answer: text },
        'drift request',
      );
    }
    const { version, seenUntilMs } = answer;
    if (seenUntilMs !== null) await this.#changed.announce({ model, version }, seenUntilMs);
  }

  async #knownDrift({ model, driftEventId }: DriftRequest): Promise<KnownDrift | null> {
    const event = await this.#store.driftEvent(model, driftEventId);
    if (event === null) return null;
    return {
      event,
      judgedUntilMs: await this.#changed.newestEndMs(event, event.windowEnd),
      windowSizeMs: this.#context.settings.of(model).windowSizeMs,
    };
  }
}
