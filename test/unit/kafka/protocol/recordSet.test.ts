import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import { batchLimits } from '../../../../services/shared/kafka/protocol/batchLimits.ts';
import { encodeRecord } from '../../../../services/shared/kafka/protocol/encodeRecord.ts';
import {
  decodeRecordSet,
  type FetchedMessage,
  maxFetchCostBytes,
} from '../../../../services/shared/kafka/protocol/recordSet.ts';
import { encodeBatch } from '../../../kafkaProtocol/encodeBatch.ts';

const megabyte = 1024 * 1024;

function decode(set: Buffer, leftBytes = maxFetchCostBytes): FetchedMessage[] {
  return decodeRecordSet(set, { leftBytes });
}

/** Compresses as Kafka's Java clients do: the header of xerial's format, then blocks. */
function xerialSnappy(bytes: Buffer): Buffer {
  const header = Buffer.from('82534e415050590000000001000000 01'.replaceAll(' ', ''), 'hex');
  const parts: Buffer[] = [header];
  for (let start = 0; start < bytes.length; start += 32_768) {
    const block = compressSync(Uint8Array.prototype.slice.call(bytes, start, start + 32_768));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

const codecs = [
  ['no codec', 0, (bytes: Buffer) => bytes],
  ['gzip', 1, gzipSync],
  ['snappy', 2, compressSync],
  ['snappy of xerial', 2, xerialSnappy],
  ['lz4', 3, compressFrameSync],
  ['zstd', 4, zstdCompressSync],
] as [string, number, (bytes: Buffer) => Buffer][];

describe('decodeRecordSet', () => {
  it.each(codecs)(
    'reads records compressed by %s, with their offsets, times and headers',
    (_, attributes, compress) => {
      const value = Buffer.from('a value that is repeated, '.repeat(3_000));
      const set = encodeBatch({
        attributes,
        compress,
        firstOffset: 7,
        firstTimestampMs: 1_000,
        records: [
          { key: 'k', value, headers: { a: 'x', b: ['1', null, '2'] } },
          { key: null, value: null, timestampDelta: -1_500 },
        ],
      });
      const [first, second] = decode(set);
      expect(first).toMatchObject({ offset: '7', timestamp: '1000', isControlRecord: false });
      expect([String(first!.key), first!.value!.equals(value)]).toEqual(['k', true]);
      expect({ ...first!.headers }).toEqual({
        a: Buffer.from('x'),
        b: [Buffer.from('1'), null, Buffer.from('2')],
      });
      expect(second).toMatchObject({ offset: '8', timestamp: '-500', key: null, value: null });
    },
  );

  it('reads headers with a null value and with the names of properties of Object', () => {
    const names = ['toString', 'constructor', '__proto__', 'hasOwnProperty', '', '0'];
    const headers = Object.assign(Object.create(null), { nothing: null });
    for (const name of names) headers[name] = Buffer.from(name);
    const [message] = decode(encodeBatch({ records: [{ value: 'v', headers }] }));
    expect(Object.keys(message!.headers).sort()).toEqual([...names, 'nothing'].sort());
    for (const name of names) expect(message!.headers[name]).toEqual(Buffer.from(name));
    expect(message!.headers.nothing).toBeNull();
  });

  it('reads a record of 20,000 headers', () => {
    const headers = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`h${i}`, 'x']));
    const [message] = decode(encodeBatch({ records: [{ value: 'v', headers }] }));
    expect(Object.keys(message!.headers)).toHaveLength(20_000);
  });

  it('knows control records and transactions', () => {
    const marker = encodeBatch({
      attributes: 0x30,
      producerId: 5,
      records: [{ key: Buffer.from([0, 0, 0, 0]), value: Buffer.alloc(6) }],
    });
    const [message] = decode(marker);
    expect(message).toMatchObject({
      isControlRecord: true,
      batchContext: { inTransaction: true, isControlBatch: true, producerId: '5' },
    });
  });

  it('hides a key of a transaction that kafkajs would take for its end', () => {
    const key = Buffer.alloc(4);
    const [message] = decode(encodeBatch({ attributes: 0x10, records: [{ key, value: 'v' }] }));
    expect([message!.key, message!.hiddenKey]).toEqual([null, key]);
    const [plain] = decode(encodeBatch({ records: [{ key, value: 'v' }] }));
    expect([plain!.key, plain!.hiddenKey]).toEqual([key, undefined]);
  });

  it('takes the time of the broker where the topic says so', () => {
    const set = encodeBatch({ attributes: 0x08, records: [{ value: 'v', timestampDelta: 9 }] });
    expect(decode(set)[0]!.timestamp).toBe('1700000000000');
  });

  it('keeps times that no number has exactly', () => {
    const firstTimestampMs = 2 ** 60;
    const set = encodeBatch({ firstTimestampMs, records: [{ value: 'v', timestampDelta: 1 }] });
    expect(decode(set)[0]!.timestamp).toBe('1152921504606846977');
  });

  it('leaves out a batch that is cut off at the end', () => {
    const set = Buffer.concat([
      encodeBatch({ records: [{ value: 'one' }] }),
      encodeBatch({ firstOffset: 1, records: [{ value: 'two' }] }).subarray(0, -1),
    ]);
    expect(decode(set).map(({ value }) => String(value))).toEqual(['one']);
  });

  it.each(codecs.slice(1))(
    'sets a bomb of %s aside whole, and reads what stands around it',
    (_, attributes, compress) => {
      const value = Buffer.alloc(batchLimits.maxBytes + megabyte, ' ');
      const bomb = encodeBatch({
        attributes,
        compress,
        firstOffset: 1,
        lastOffsetDelta: 4,
        records: [{ value }],
      });
      const messages = decode(
        Buffer.concat([
          encodeBatch({ records: [{ value: 'before' }] }),
          bomb,
          encodeBatch({ firstOffset: 6, records: [{ value: 'behind' }] }),
        ]),
      );
      expect(messages.map(({ offset }) => offset)).toEqual(['0', '5', '6']);
      expect(messages[1]!.setAside).toEqual({
        class: 'batch-too-large',
        reason: `more than ${batchLimits.maxBytes} bytes after decompression`,
        firstOffset: '1',
      });
      expect(messages[1]!.value!.equals(bomb)).toBe(true);
    },
  );

  it('sets a batch of too many records or headers aside', () => {
    const record = encodeRecord({ value: null });
    const many = encodeBatch({
      attributes: 4,
      compress: zstdCompressSync,
      records: Array.from({ length: batchLimits.maxRecords + 1 }, () => record),
    });
    expect(decode(many)[0]!.setAside).toMatchObject({ class: 'batch-too-large' });

    const headers = Array.from({ length: batchLimits.maxHeaders + 1 }, () => '');
    const withHeaders = encodeBatch({ records: [{ value: null, headers: { a: headers } }] });
    expect(decode(withHeaders)[0]!.setAside).toMatchObject({ class: 'batch-too-large' });
  });

  it.each([
    ['a codec that does not exist', { attributes: 7 }],
    ['bytes that the codec cannot read', { attributes: 4 }],
    ['bytes that are no LZ4', { attributes: 3 }],
    ['bytes that are no Snappy', { attributes: 2 }],
    ['more records than it claims', { recordCount: 3 }],
    ['a length of two billion records', { recordCount: 2 ** 31 - 1 }],
  ])('sets a batch with %s aside', (_, damage) => {
    const set = encodeBatch({ records: [{ value: 'v' }, { value: 'w' }], ...damage });
    const [message, ...others] = decode(set);
    expect(others).toEqual([]);
    expect(message!.setAside).toBeDefined();
    expect(message!.offset).toBe('1');
  });

  it('does not believe the sizes that compressed bytes claim', () => {
    // A Snappy block that claims 4 GiB, and an LZ4 frame that claims 8 EiB.
    const snappy = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]);
    const frame = Buffer.alloc(15, 0xff);
    frame.writeUInt32LE(0x184d2204, 0);
    frame.writeUInt8(0x68, 4);
    for (const [attributes, bytes] of [
      [2, snappy],
      [3, frame],
    ] as const) {
      const set = encodeBatch({ attributes, records: [{ value: 'v' }], compress: () => bytes });
      expect(decode(set)[0]!.setAside).toBeDefined();
    }
  });

  it('leaves the batches behind for the next request when the budget is used up', () => {
    const budget = { leftBytes: 1 };
    const set = Buffer.concat([
      encodeBatch({ records: [{ value: 'one' }] }),
      encodeBatch({ firstOffset: 1, records: [{ value: 'two' }] }),
    ]);
    expect(decodeRecordSet(set, budget)).toHaveLength(1);
    expect(decodeRecordSet(set, budget)).toEqual([]);
  });

  it('never throws and never loops, whatever bytes come', () => {
    const good = codecs.map(([, attributes, compress]) =>
      encodeBatch({
        attributes,
        compress,
        records: [{ key: 'key', value: 'value '.repeat(20), headers: { a: 'b' } }, { value: 'x' }],
      }),
    );
    const damage = fc.record({
      set: fc.constantFrom(...good, Buffer.concat(good)),
      changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
      cutBytes: fc.nat(40),
    });
    fc.assert(
      fc.property(damage, ({ set, changes, cutBytes }) => {
        const damaged = Buffer.from(set.subarray(0, Math.max(0, set.length - cutBytes)));
        for (const [place, byte] of changes) damaged[place % damaged.length] = byte;
        decode(damaged);
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        decode(Buffer.from(bytes));
      }),
    );
  });
});
