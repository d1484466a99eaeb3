import type { SchemaClient } from '../avro/schemaRegistry.ts';
import type { Notice as NoticeRecord } from '../contracts.ts';
import { cloudEvent } from '../kafka/cloudEvent.ts';
import { type KafkaProducer, type OutgoingRecord, sendRecords } from '../kafka/kafka.ts';
import type { VersionName } from '../versionKey.ts';
import { changedNotices, type Notice, type NoticeFamily, type StatedNotice } from './notice.ts';
import { type NoticeStore, noticeId } from './noticeStore.ts';

export interface NoticeSinkOptions {
  /** Topic notices, with its prefix. */
  topic: string;
  /** Name of the service that states the notices. */
  service: string;
  producer: KafkaProducer;
  schemas: SchemaClient;
  store: NoticeStore;
}

interface Statement extends NoticeFamily {
  progress: number;
  notices: readonly Notice[];
}

/**
 * Keeps the notices of model versions: what is odd in how they are logged.
 *
 * Invariant: it holds the last statement of each family since the last flush or `clear`.
 */
export class NoticeSink {
  readonly #options: NoticeSinkOptions;
  /** By version and family. */
  readonly #statements = new Map<string, Statement>();
  #encode: ((notice: NoticeRecord) => Buffer) | null = null;

  constructor(options: NoticeSinkOptions) {
    this.#options = options;
  }

  /**
   * States all notices of a family that hold of a model version. At the next flush those that are
   * new are opened, and open ones that are not among them are closed.
   * @param progress a whole number that grows with what was seen of the version, so that a replica
   * that has seen less does not undo what another one has said
   */
  state(
    { model, version }: VersionName,
    family: string,
    notices: readonly Notice[],
    progress: number,
  ): void {
    this.#statements.set(familyKey({ model, version, family }), {
      model,
      version,
      family,
      progress,
      notices,
    });
  }

  clear(): void {
    this.#statements.clear();
  }

  /** Publishes what has changed, then writes the rows. Part of a service's flush. */
  async flush(): Promise<void> {
    if (this.#statements.size === 0) return;
    const statements = [...this.#statements.values()];
    const { producer, store } = this.#options;
    const stored = Map.groupBy(await store.ofFamilies(statements), familyKey);
    const changed = statements.flatMap(({ notices, ...family }) =>
      changedNotices(stored.get(familyKey(family)) ?? [], notices, family),
    );
    if (changed.length > 0) {
      await sendRecords(producer, await this.#records(changed));
      await store.insert(changed);
    }
    this.#statements.clear();
  }

  async #records(notices: readonly StatedNotice[]): Promise<OutgoingRecord[]> {
    const { topic, service, schemas } = this.#options;
    this.#encode ??= await schemas.encoder<NoticeRecord>('Notice', topic);
    const encode = this.#encode;
    return notices.map(notice => {
      const { model, version, code, subject, status, sinceMs, message, evidence, advice } = notice;
      const id = noticeId(notice);
      return cloudEvent({
        topic,
        key: JSON.stringify([model, version, code, subject]),
        type: 'io.driftloop.notice',
        source: service,
        identity: [id, status, message],
        subject: `${model}:${version}`,
        timeMs: sinceMs,
        value: encode({
          id,
          status,
          model,
          version,
          code,
          subject,
          since: sinceMs,
          message,
          evidence,
          advice,
        }),
      });
    });
  }
}

function familyKey({ model, version, family }: NoticeFamily): string {
  return JSON.stringify([model, version, family]);
}
