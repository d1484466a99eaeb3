import { expect, it } from 'vitest';
import { compared } from '../../../bin/versions/reproduceVersion.ts';
import { checksumOf } from '../../../services/shared/artifacts/folderChecksum.ts';

const file = (sha256: string) => ({ bytes: 1, sha256 });

it('says which files differ from those of the version, and how', () => {
  const published = { 'a.json': file('1'), 'b.json': file('2'), 'c.json': file('3') };
  const expected = checksumOf(published);
  expect(compared(published, published, expected).differences).toEqual([]);
  const trained = { 'a.json': file('1'), 'b.json': file('9'), 'd.json': file('4') };
  const [whole, ...ofFiles] = compared(trained, published, expected).differences;
  expect(whole).toBe(
    `The checksum is ${checksumOf(trained)}, but that of the version is ${expected}.`,
  );
  expect(ofFiles).toEqual([
    'b.json: SHA-256 9, but that of the version is 2.',
    'c.json: the version has it, but the new training left no such file.',
    'd.json: the new training left it, but the version has no such file.',
  ]);
  expect(compared(trained, null, expected).differences).toEqual([whole]);
});
