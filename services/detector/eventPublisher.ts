import type { Alert, DriftEvent } from '../shared/contracts.ts';
import { cloudEvent } from '../shared/kafka/cloudEvent.ts';
import { type KafkaProducer, type OutgoingRecord, sendRecords } from '../shared/kafka/kafka.ts';
import { topics } from '../shared/kafka/topics.ts';
import type { ServiceContext } from '../shared/service/service.ts';
import { versionKey } from '../shared/versionKey.ts';
import type { DriftEventRevision } from './events/driftEventRevisions.ts';
import type { DetectorStore } from './store/store.ts';

const source = 'detector';

type PublisherContext = Pick<ServiceContext, 'schemas' | 'producer' | 'topic'>;

/** An outgoing topic, with what turns its values into bytes. */
interface EncodedTopic<T> {
  topic: string;
  encode(value: T): Buffer;
}

/** Publishes drift events and alerts: to their topics and to their tables. */
export class EventPublisher {
  readonly #producer: KafkaProducer;
  readonly #store: DetectorStore;
  readonly #driftEvents: EncodedTopic<DriftEvent>;
  readonly #alerts: EncodedTopic<Alert>;

  /** Gets the encoders from the schema registry. */
  static async create(context: PublisherContext, store: DetectorStore): Promise<EventPublisher> {
    const { schemas, topic } = context;
    const driftEvents = topic(topics.driftEvents);
    const alerts = topic(topics.alerts);
    return new EventPublisher(
      context.producer,
      store,
      { topic: driftEvents, encode: await schemas.encoder<DriftEvent>('DriftEvent', driftEvents) },
      { topic: alerts, encode: await schemas.encoder<Alert>('Alert', alerts) },
    );
  }

  private constructor(
    producer: KafkaProducer,
    store: DetectorStore,
    driftEvents: EncodedTopic<DriftEvent>,
    alerts: EncodedTopic<Alert>,
  ) {
    this.#producer = producer;
    this.#store = store;
    this.#driftEvents = driftEvents;
    this.#alerts = alerts;
  }

  /**
   * Sends first and writes the rows afterwards. The rows say what was published, so that after a
   * crash in between the same ids are published once more. In the other order they would not be
   * published at all.
   */
  async publish(
    revisions: readonly DriftEventRevision[],
    bareAlerts: readonly Alert[],
  ): Promise<void> {
    const notices = await this.#store.openNotices(bareAlerts);
    const alerts = bareAlerts.map(alert => ({
      ...alert,
      notice: noticeOf(notices.get(versionKey(alert)) ?? []),
    }));
    await sendRecords(this.#producer, [
      ...revisions.map(revision => this.#driftEventRecord(revision)),
      ...alerts.map(alert => this.#alertRecord(alert)),
    ]);
    await this.#store.insertDriftEvents(revisions.map(({ event }) => event));
    await this.#store.insertAlerts(alerts);
  }

  #driftEventRecord({ event, atMs }: DriftEventRevision): OutgoingRecord {
    return cloudEvent({
      topic: this.#driftEvents.topic,
      key: event.model,
      type: 'io.driftloop.drift-event',
      source,
      identity: [event.id, event.revision],
      subject: `${event.model}:${event.version}`,
      timeMs: atMs,
      value: this.#driftEvents.encode(event),
    });
  }

  #alertRecord(alert: Alert): OutgoingRecord {
    return cloudEvent({
      topic: this.#alerts.topic,
      key: alert.model,
      type: 'io.driftloop.alert',
      source,
      identity: [alert.id, alert.revision],
      subject: `${alert.model}:${alert.version}`,
      timeMs: alert.updatedAtEventTime,
      value: this.#alerts.encode(alert),
    });
  }
}

/** Returns one line about notices, or null where there are none. */
function noticeOf([first, ...others]: readonly string[]): string | null {
  if (first === undefined) return null;
  return others.length === 0 ? first : `${first} (${others.length} more)`;
}
