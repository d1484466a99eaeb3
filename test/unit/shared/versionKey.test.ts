import fc from 'fast-check';
import { expect, it } from 'vitest';
import { publishedVersionKey } from '../../../services/shared/versionKey.ts';

it('is model:version for ordinary names', () => {
  expect(publishedVersionKey({ model: 'churn', version: '3:1' })).toBe('churn:3:1');
});

it('is never the same for two versions', () => {
  const name = fc.stringMatching(/^[a:%3A25]{1,6}$/);
  const version = fc.record({ model: name, version: name });
  fc.assert(
    fc.property(version, version, (one, other) => {
      const isSame = one.model === other.model && one.version === other.version;
      expect(publishedVersionKey(one) === publishedVersionKey(other)).toBe(isSame);
    }),
  );
});
