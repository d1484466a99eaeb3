import { describe, expect, it } from 'vitest';
import { committedOffsets } from '../../../infra/kafka/committedOffsets.ts';
import type { KafkaAdmin } from '../../../services/shared/kafka/kafka.ts';

/** An admin client that fails with these types of errors before it answers. */
function adminThatFails(...types: string[]): KafkaAdmin {
  const failures = [...types];
  const fetchOffsets = async () => {
    const type = failures.shift();
    if (type !== undefined) throw Object.assign(new Error(type), { type });
    return [{ topic: 't', partitions: [{ partition: 3, offset: '7', metadata: null }] }];
  };
  return { fetchOffsets } as unknown as KafkaAdmin;
}

describe('committedOffsets', () => {
  it('waits for a broker that is loading the offsets', async () => {
    const admin = adminThatFails('GROUP_LOAD_IN_PROGRESS', 'NOT_COORDINATOR_FOR_GROUP');
    const offsets = await committedOffsets(admin, 'g', ['t']);
    expect(offsets.get('t')?.get(3)).toBe(7);
  });

  it('does not wait for a topic that is missing', async () => {
    const admin = adminThatFails('UNKNOWN_TOPIC_OR_PARTITION');
    await expect(committedOffsets(admin, 'g', ['t'])).rejects.toThrow('UNKNOWN_TOPIC');
  });
});
