import type { WindowUpdate } from '../shared/contracts.ts';
import { sendRecords } from '../shared/kafka/kafka.ts';
import { topics } from '../shared/kafka/topics.ts';
import type { ServiceContext } from '../shared/service/service.ts';
import { type VersionName, versionKey } from '../shared/versionKey.ts';
import type { DetectorStore } from './store/store.ts';

type AnnounceContext = Pick<ServiceContext, 'schemas' | 'producer' | 'topic' | 'settings'>;

/**
 * Announces the labels of a window as changed, to whoever judges its version: what a person has
 * said is read when the window is judged again.
 */
export class ChangedWindows {
  readonly #context: AnnounceContext;
  readonly #store: DetectorStore;
  readonly #encode: (update: WindowUpdate) => Buffer;

  /** Gets the encoder from the schema registry. */
  static async create(context: AnnounceContext, store: DetectorStore): Promise<ChangedWindows> {
    const topic = context.topic(topics.windows);
    const encode = await context.schemas.encoder<WindowUpdate>('WindowUpdate', topic);
    return new ChangedWindows(context, store, encode);
  }

  private constructor(
    context: AnnounceContext,
    store: DetectorStore,
    encode: (update: WindowUpdate) => Buffer,
  ) {
    this.#context = context;
    this.#store = store;
    this.#encode = encode;
  }

  /** @param endMs end of the window */
  async announce({ model, version }: VersionName, endMs: number): Promise<void> {
    const { windowSizeMs } = this.#context.settings.of(model);
    const update: WindowUpdate = {
      kind: 'performance',
      model,
      version,
      sourcePartition: -1,
      watermark: null,
      windowSizeMs,
      windowStarts: [endMs - windowSizeMs],
    };
    const topic = this.#context.topic(topics.windows);
    await sendRecords(this.#context.producer, [{ topic, key: model, value: this.#encode(update) }]);
  }

  /**
   * Announces the newest window that was judged.
   * @param fromMs end of a window that is known to have been judged
   */
  async announceNewest({ model, version }: VersionName, fromMs: number): Promise<void> {
    await this.announce({ model, version }, await this.newestEndMs({ model, version }, fromMs));
  }

  /** Returns the end of the newest judged window. */
  async newestEndMs({ model, version }: VersionName, fromMs: number): Promise<number> {
    const judged = await this.#store.judgedUntilMs([{ model, version, fromMs }]);
    return judged.get(versionKey({ model, version })) ?? fromMs;
  }
}
