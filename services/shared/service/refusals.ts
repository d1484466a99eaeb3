import type { VersionName } from '../versionKey.ts';
import type { DeadLetterClass } from './deadLetters.ts';
import type { Notice } from './notice.ts';

/** Refused records among the newest ones, of one topic, model, version, class and field. */
export interface RefusedRecords {
  /** Name without the prefix of the installation. */
  topic: string;
  /** '' where it could not be read; the same for `version`. */
  model: string;
  version: string;
  class: DeadLetterClass;
  /** The field that the reason names, or ''. */
  field: string;
  records: number;
  /** Refused records of the model for whatever reason, and of the version. */
  ofModel: number;
  ofVersion: number;
  sinceMs: number;
  partition: number;
  offset: number;
  /** Reason of the first of them. */
  message: string;
}

/** At most this share of the records may be refused for a reason without a notice. */
const maxRefusedShare = 0.01;
/** Fewer than this may well be single mistakes. */
export const minRefused = 3;

/**
 * Returns a notice if a reason refuses a considerable share of the newest records.
 * @param all the newest records, the refused ones among them
 * @param version whose records they are: all of a model if it has no version, all of the topic if it
 * has no model
 */
export function refusalNotice(
  refused: RefusedRecords,
  all: number,
  version: VersionName,
): Notice | null {
  const whose = `of the ${version.model === '' ? 'topic' : version.version === '' ? 'model' : 'version'}`;
  const { topic, field, records, partition, offset, message } = refused;
  if (records < minRefused || records <= all * maxRefusedShare) return null;
  const share = Number(((records / all) * 100).toPrecision(2));
  const why = field === '' ? `as ${refused.class}` : `because of their field ${field}`;
  return {
    code: 'records-refused',
    subject: [topic, refused.class, field].filter(part => part !== '').join(' '),
    sinceMs: refused.sinceMs,
    message: `Records ${whose} are refused ${why} (${topic}).`,
    evidence:
      `${share} % of the newest records ${whose}: ${records} of ${all}. ` +
      `Such as offset ${offset} of partition ${partition}: "${message}".`,
    advice: `${advice[refused.class]} \`driftloop dead-letters\` lists them, and sends them again.`,
  };
}

const advice: Record<DeadLetterClass, string> = {
  'null-value': 'Send records only, and no tombstones.',
  'too-large': 'Log fewer or smaller features.',
  'unknown-schema-id': 'Register the schema in the registry that Driftloop reads.',
  'incompatible-schema': 'Register a schema that can be read as the contract.',
  'malformed-avro': 'Write values with the schema that their id names.',
  'malformed-protobuf': 'Write values with the schema that their id names.',
  'malformed-json': 'Send JSON, or values of a schema in the registry.',
  'invalid-field': 'Log the field as the contract says, or map it in the setting inputs.',
  'implausible-time': 'Log times in a form that is read.',
  'future-time': 'Set the clock of the producer, or the unit of its times.',
  'too-many-features': 'Log fewer features.',
  'too-late': 'Send records sooner, or raise gracePeriod.',
  'batch-too-large': 'Send smaller batches.',
  'malformed-batch': 'Look at the disk of the broker.',
};
