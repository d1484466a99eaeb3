import { describe, expect, it } from 'vitest';
import { namedServers } from '../../../infra/local/namedServers.ts';

const all = { KAFKA_BROKERS: 'k:1', SCHEMA_REGISTRY_URL: 'http://r', CLICKHOUSE_URL: 'http://c' };

describe('namedServers', () => {
  it('returns the three servers and nothing else', () => {
    expect(namedServers({ ...all, HOME: '/root' })).toEqual(all);
  });

  it('returns null when no server is named, or all names are empty', () => {
    expect(namedServers({ KAFKA_BROKERS: '' })).toBeNull();
  });

  it('refuses names for some of the three only', () => {
    expect(() => namedServers({ ...all, CLICKHOUSE_URL: '' })).toThrow(
      'KAFKA_BROKERS and SCHEMA_REGISTRY_URL set, but not CLICKHOUSE_URL: set all three to use',
    );
  });
});
