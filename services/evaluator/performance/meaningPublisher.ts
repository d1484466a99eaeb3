import type { OutputMeaning as MeaningRecord } from '../../shared/contracts.ts';
import { cloudEvent } from '../../shared/kafka/cloudEvent.ts';
import { sendRecords } from '../../shared/kafka/kafka.ts';
import { topics } from '../../shared/kafka/topics.ts';
import type { StoredMeaning } from '../../shared/output/meaningStore.ts';
import { meaningKey } from '../../shared/output/outputMeaning.ts';
import type { ServiceContext } from '../../shared/service/service.ts';
import { publishedVersionKey } from '../../shared/versionKey.ts';

/** Tells on the topic output-meanings what the outputs of versions mean. */
export class MeaningPublisher {
  readonly #context: Pick<ServiceContext, 'producer' | 'schemas' | 'topic'>;
  #encode: ((meaning: MeaningRecord) => Buffer) | null = null;

  constructor(context: Pick<ServiceContext, 'producer' | 'schemas' | 'topic'>) {
    this.#context = context;
  }

  async publish(meanings: readonly StoredMeaning[]): Promise<void> {
    if (meanings.length === 0) return;
    const { producer, schemas, topic } = this.#context;
    const name = topic(topics.outputMeanings);
    this.#encode ??= await schemas.encoder<MeaningRecord>('OutputMeaning', name);
    const encode = this.#encode;
    await sendRecords(
      producer,
      meanings.map(stored => {
        const { model, version, fromMs, untilMs, meaning } = stored;
        return cloudEvent({
          topic: name,
          key: publishedVersionKey({ model, version }),
          type: 'io.driftloop.output-meaning',
          source: 'evaluator',
          identity: [model, version, meaningKey(meaning), fromMs, String(untilMs)],
          subject: `${model}:${version}`,
          timeMs: untilMs ?? fromMs,
          value: encode(meaningRecord(stored)),
        });
      }),
    );
  }
}

function meaningRecord(stored: StoredMeaning): MeaningRecord {
  const { model, version, meaning, records, fromMs, untilMs } = stored;
  const { task, positiveLabel, predictionIs, scoreIs, scoreOf, scoresAreProbabilities } = meaning;
  const { threshold, classes, comparable, evidence, disagreement } = meaning;
  return {
    ...{ model, version, task, positiveLabel, predictionIs, scoreIs, scoreOf },
    ...{ scoresAreProbabilities, threshold, comparable, evidence, disagreement, records },
    classes: Object.fromEntries(classes.map(({ name, spellings }) => [name, spellings])),
    decidedFrom: fromMs,
    decidedUntil: untilMs,
  };
}
