import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readMappings } from '../../../services/shared/config/settings.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'driftloop-mapping-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function mappingsOf(text: string) {
  const file = join(folder, 'm.yaml');
  writeFileSync(file, text);
  return readMappings(file);
}

it('reads mappings of files without the names of topics', () => {
  expect(mappingsOf('inputs:\n  - kind: feedback\n    fields: { label: truth }')).toEqual([
    { kind: 'feedback', fields: { label: 'truth' } },
  ]);
});

it('says what is missing where a file is a list without a name', () => {
  expect(() => mappingsOf('- kind: feedback')).toThrow('expected inputs: with a list');
  expect(() => mappingsOf('')).toThrow('inputs');
});
