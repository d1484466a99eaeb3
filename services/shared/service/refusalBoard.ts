import type { KafkaRecord } from '../kafka/kafka.ts';
import { type VersionName, versionKey } from '../versionKey.ts';
import type { Notice } from './notice.ts';
import type { NoticeSink } from './noticeSink.ts';
import { type Partition, partitionKey } from './partitionStart.ts';
import { PositionStore } from './positionStore.ts';
import { firstRecentPosition } from './recentRecords.ts';
import { type PositionRange, RefusalStore } from './refusalStore.ts';
import { type RefusedRecords, refusalNotice } from './refusals.ts';
import type { ServiceContext } from './service.ts';

/** Usable records of a version among the newest ones. */
export interface UsableRecords extends VersionName {
  records: number;
}

export interface RefusalBoardOptions {
  /** Name of the service that refuses the records. */
  service: string;
  /** Full names of the topics of producers that it reads. */
  topics: readonly string[];
  /**
   * Counts the usable records of models among the newest ones. A service that does not know the
   * models of its records leaves it out; then shares are of all records of a topic.
   */
  usable?(models: readonly string[], newest: readonly PositionRange[]): Promise<UsableRecords[]>;
}

/**
 * States which records are refused, of a model version, a model, or where no model could be read, of
 * a topic. It speaks of the newest records of all partitions, by what is stored of them, so that all
 * replicas say the same and a notice closes when the records are mended.
 *
 * Invariant: `#ends` has, by `partitionKey`, the positions behind all records that were noted since
 * the last reset.
 */
export class RefusalBoard {
  readonly #options: RefusalBoardOptions;
  readonly #notices: NoticeSink;
  readonly #positions: PositionStore;
  readonly #store: RefusalStore;
  /** Prefix of Driftloop's own topics. */
  readonly #topicPrefix: string;
  readonly #family: string;
  readonly #ends = new Map<string, number>();
  /** Versions with open notices by `versionKey`; null where that is not known. */
  #open: Map<string, VersionName> | null = null;

  constructor({ clickhouse, notices, topic }: ServiceContext, options: RefusalBoardOptions) {
    const { service } = options;
    this.#options = options;
    this.#notices = notices;
    this.#positions = new PositionStore(clickhouse, service);
    this.#store = new RefusalStore(clickhouse, service);
    this.#topicPrefix = topic('');
    this.#family = `refused by ${service}`;
  }

  reset(): void {
    this.#ends.clear();
    this.#open = null;
  }

  /** Notes records of one partition in ascending order, usable or not. */
  note(records: readonly KafkaRecord[]): void {
    const last = records.at(-1);
    if (!last) return;
    this.#ends.set(partitionKey(last), last.offset + 1);
  }

  /**
   * States what is refused, once all that was noted is stored. Without refused records, and without
   * a notice that may have to be closed, it costs nothing.
   * @param hasRefused whether records were refused since the last call
   */
  async state(hasRefused: boolean): Promise<void> {
    this.#open ??= byVersion(await this.#store.openVersions(this.#family));
    if (!hasRefused && this.#open.size === 0) return;
    const newest = await this.#newest();
    const refused = newest.length === 0 ? [] : await this.#store.refused(newest);
    const stated = await this.#noticesOf(refused, newest);
    const progress = newest.reduce((sum, { end }) => sum + end, 0);
    const known = byVersion([...this.#open.values(), ...refused, whole]);
    for (const [key, version] of known)
      this.#notices.state(version, this.#family, stated.get(key) ?? [], progress);
    this.#open = new Map([...known].filter(([key]) => stated.has(key)));
  }

  async #newest(): Promise<PositionRange[]> {
    const stored = await this.#positions.positions(this.#options.topics);
    const ends = new Map(Array.from(stored, ([key, { position }]) => [key, position]));
    for (const [key, end] of this.#ends) ends.set(key, Math.max(end, ends.get(key) ?? 0));
    return [...ends]
      .filter(([, end]) => end > 0)
      .map(([key, end]) => ({ ...partitionOf(key), from: firstRecentPosition(end), end }));
  }

  async #noticesOf(
    refused: readonly RefusedRecords[],
    newest: readonly PositionRange[],
  ): Promise<Map<string, Notice[]>> {
    const { usable } = this.#options;
    const models = [...new Set(refused.map(({ model }) => model))].filter(model => model !== '');
    const counted = usable && models.length > 0 ? await usable(models, newest) : [];
    const notices = new Map<string, Notice[]>();
    for (const records of refused) {
      const isOfModel = usable !== undefined && records.model !== '';
      const all = isOfModel
        ? recordsOf(records, counted) +
          (records.version === '' ? records.ofModel : records.ofVersion)
        : positionsOf(records.topic, newest);
      const version = isOfModel ? records : whole;
      const notice = refusalNotice(
        { ...records, topic: this.#shortName(records.topic) },
        all,
        version,
      );
      if (!notice) continue;
      const key = versionKey(version);
      notices.set(key, [...(notices.get(key) ?? []), notice]);
    }
    return notices;
  }

  #shortName(topic: string): string {
    const isOwn = topic.startsWith(this.#topicPrefix);
    return isOwn ? topic.slice(this.#topicPrefix.length) : topic;
  }
}

/** Stands for whole topics among the versions. */
const whole: VersionName = { model: '', version: '' };

function partitionOf(key: string): Partition {
  const slash = key.lastIndexOf('/');
  return { topic: key.slice(0, slash), partition: Number(key.slice(slash + 1)) };
}

function byVersion(versions: readonly VersionName[]): Map<string, VersionName> {
  return new Map(
    versions.map(({ model, version }) => [versionKey({ model, version }), { model, version }]),
  );
}

/** Returns how many records are of a version, or of a model if the version is not known. */
function recordsOf({ model, version }: VersionName, counted: readonly UsableRecords[]): number {
  return counted
    .filter(other => other.model === model && (version === '' || other.version === version))
    .reduce((sum, { records }) => sum + records, 0);
}

function positionsOf(topic: string, newest: readonly PositionRange[]): number {
  return newest
    .filter(range => range.topic === topic)
    .reduce((sum, { from, end }) => sum + end - from, 0);
}
