import { describe, expect, it } from 'vitest';
import { localStackPorts } from '../../../infra/local/processes/localStackPorts.ts';

describe('localStackPorts', () => {
  it('returns the usual ports unless variables name others', () => {
    expect(
      localStackPorts({ DRIFTLOOP_REGISTRY_PORT: '', DRIFTLOOP_CLICKHOUSE_PORT: '0' }),
    ).toEqual({
      kafka: 9092,
      registry: 8081,
      clickhouse: 0,
    });
  });

  it('names the variable that is wrong', () => {
    expect(() => localStackPorts({ DRIFTLOOP_KAFKA_PORT: '90920' })).toThrow(
      'environment variable DRIFTLOOP_KAFKA_PORT: expected a port, or 0 for a free one (got "90920")',
    );
  });
});
