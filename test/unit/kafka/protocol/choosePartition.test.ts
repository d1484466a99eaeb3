import fc from 'fast-check';
import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import {
  choosePartition,
  MissingPartitionError,
} from '../../../../services/shared/kafka/protocol/choosePartition.ts';
import { murmur2 } from '../../../../services/shared/kafka/protocol/murmur2.ts';

const partitions = (count: number) =>
  Array.from({ length: count }, (_, partitionId) => ({ partitionId, leader: 1 }));

describe('choosePartition', () => {
  it('chooses the partitions that kafkajs chooses', () => {
    const theirs = kafkajs.Partitioners.DefaultPartitioner();
    const ours = choosePartition();
    const keys = fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes));
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 64 }), (key, count) => {
        const partitionMetadata = partitions(count);
        const choice = { topic: 't', partitionMetadata, message: { key } };
        expect(ours(choice)).toBe(theirs({ ...choice, message: { key, value: null } } as never));
      }),
    );
  });

  it('hashes a key of a megabyte', () => {
    const key = Buffer.alloc(1_000_000, 'k');
    const partitionMetadata = partitions(7);
    expect(choosePartition()({ topic: 't', partitionMetadata, message: { key } })).toBe(
      (murmur2(key) & 0x7fffffff) % 7,
    );
  });

  it('takes the partition that a record names, and refuses one that does not exist', () => {
    const choose = choosePartition();
    const choice = { topic: 't', partitionMetadata: partitions(2) };
    expect(choose({ ...choice, message: { key: 'k', partition: 1 } })).toBe(1);
    expect(() => choose({ ...choice, message: { key: 'k', partition: 2 } })).toThrow(
      new MissingPartitionError('t', 2, 2),
    );
  });

  it('gives records without a key to one partition after another', () => {
    const choose = choosePartition();
    const choice = { topic: 't', partitionMetadata: partitions(3), message: { key: null } };
    expect([1, 2, 3].map(() => choose(choice)).sort()).toEqual([0, 1, 2]);
  });
});

describe('murmur2', () => {
  // The values of kafka's UtilsTest.testMurmur2.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %s as the Java client does', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });
});
