import { expect, it } from 'vitest';
import { tellingLine } from '../../../infra/local/processes/untilReady.ts';

it('returns the last line that mentions an error, and no stack trace', () => {
  const log =
    'starting\nException in thread "main": no space\n\tat kafka.Kafka.main(Kafka.scala:97)\nbye\n';
  expect(tellingLine(log)).toBe('Exception in thread "main": no space');
  expect(tellingLine('starting\nbye\n')).toBe('bye');
  expect(tellingLine('\n')).toBeUndefined();
});
