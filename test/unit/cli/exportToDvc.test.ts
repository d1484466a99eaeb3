import { expect, it } from 'vitest';
import { dvcText, objectPath } from '../../../bin/versions/exportToDvc.ts';

it('names a file as DVC 3 does, by its MD5', () => {
  const md5 = '0123456789abcdef0123456789abcdef';
  expect(objectPath(md5)).toBe('files/md5/01/23456789abcdef0123456789abcdef');
  expect(
    dvcText(
      { model: 'churn: eu', version: '3', datasetId: 'd1' },
      { path: 'churn-3.parquet', md5, bytes: 7 },
    ),
  ).toBe(`outs:
  - md5: 0123456789abcdef0123456789abcdef
    size: 7
    hash: md5
    path: churn-3.parquet
meta:
  driftloop:
    model: "churn: eu"
    version: "3"
    datasetId: d1
`);
});
