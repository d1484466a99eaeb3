import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../../../services/shared/config/environment.ts';

describe('environment', () => {
  it('has a default for every variable, and treats empty variables as absent', () => {
    expect(readEnvironment({ KAFKA_BROKERS: '', DRIFTLOOP_FLUSH_MS: '' })).toMatchObject({
      KAFKA_BROKERS: '127.0.0.1:9092',
      CLICKHOUSE_DATABASE: 'driftloop',
      DRIFTLOOP_FLUSH_MS: 1000,
    });
  });

  it('names every variable that is wrong, with its value', () => {
    const read = () =>
      readEnvironment({
        KAFKA_SSL: 'maybe',
        CLICKHOUSE_DATABASE: 'a;drop',
        DRIFTLOOP_FLUSH_MS: '-1',
      });
    expect(read).toThrow('KAFKA_SSL: expected true or false (got "maybe")');
    expect(read).toThrow('CLICKHOUSE_DATABASE: expected letters, digits and _ (got "a;drop")');
    expect(read).toThrow('DRIFTLOOP_FLUSH_MS');
  });

  it('requires a user and a password for SASL', () => {
    expect(() => readEnvironment({ KAFKA_SASL_MECHANISM: 'plain' })).toThrow(
      'KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD',
    );
  });
});
