import { createRequire } from 'node:module';
import { type Connection, closeSilentConnections } from './closeSilentConnections.ts';
import { encodeRecord, type RecordToEncode } from './encodeRecord.ts';
import { type GroupMember, keepHeartbeats } from './keepHeartbeats.ts';
import { decodeRecordSet, type FetchBudget, maxFetchCostBytes } from './recordSet.ts';

/*
 * kafkajs with some parts replaced. Its own decoder lets one record or batch of a producer stop a
 * consumer: it decompresses without a limit, needs time that is quadratic in the headers of a
 * record, and gives up on damaged batches. kafkajs 2.2.4 is its last release, and pinned.
 */

const require = createRequire(import.meta.url);

/** Marks what was replaced, for tests that evaluate this file more than once in a process. */
const isReplaced = Symbol.for('driftloop.replaced');

/** kafkajs's cursor over an answer. */
interface Decoder {
  readInt32(): number;
  canReadBytes(length: number): boolean;
  readBytes(length: number): Buffer;
}

const magicAt = 16;
const currentMagic = 2;
/** What is left of the budget of an answer; its partitions are decoded from one decoder. */
const budgets = new WeakMap<Decoder, FetchBudget>();

async function decodeMessages(answer: Decoder): Promise<unknown[]> {
  const budget = budgets.get(answer) ?? { leftBytes: maxFetchCostBytes };
  budgets.set(answer, budget);
  const setBytes = answer.readInt32();
  if (setBytes <= 0 || !answer.canReadBytes(setBytes)) return [];
  const set = answer.readBytes(setBytes);
  if (set.length <= magicAt) return [];
  if (set.readInt8(magicAt) === currentMagic) return decodeRecordSet(set, budget);
  // Kafka before 0.11 wrote sets of messages. kafkajs reads them with the codecs of kafkaCodecs.ts.
  const decodeMessageSet = require('kafkajs/src/protocol/messageSet/decoder.js');
  const BytesDecoder = require('kafkajs/src/protocol/decoder.js');
  return decodeMessageSet(new BytesDecoder(set), setBytes);
}

/** Wraps an encoded record in what kafkajs builds a batch of. */
function encodeForKafkajs(record: RecordToEncode): object {
  const Encoder = require('kafkajs/src/protocol/encoder.js');
  const bytes = encodeRecord(record);
  return new Encoder(bytes.length).writeBuffer(bytes);
}

function replaceModule(path: string, replacement: object): void {
  const file = require.resolve(`kafkajs/src/${path}`);
  const loaded = require.cache[file];
  if (loaded?.exports[isReplaced]) return;
  if (loaded) throw new Error(`kafkajs has used its own ${path} before it could be replaced`);
  Object.assign(replacement, { [isReplaced]: true });
  const filled = { id: file, filename: file, path: file, loaded: true, exports: replacement };
  require.cache[file] = filled as unknown as NodeJS.Module;
}

replaceModule('protocol/requests/fetch/v4/decodeMessages.js', decodeMessages);
replaceModule('protocol/recordBatch/record/v0/index.js', encodeForKafkajs);

const kafkajs: typeof import('kafkajs') = require('kafkajs');

const { prototype } = require('kafkajs/src/network/connection.js') as { prototype: Connection };
if (!(isReplaced in prototype)) {
  closeSilentConnections(prototype, require('kafkajs/src/errors.js').KafkaJSConnectionClosedError);
  Object.assign(prototype, { [isReplaced]: true });
}

const { prototype: member } = require('kafkajs/src/consumer/consumerGroup.js') as {
  prototype: GroupMember;
};
if (!(isReplaced in member)) {
  keepHeartbeats(member);
  Object.assign(member, { [isReplaced]: true });
}

export default kafkajs;
