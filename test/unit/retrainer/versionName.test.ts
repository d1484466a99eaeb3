import { describe, expect, it } from 'vitest';
import { modelFolder } from '../../../services/retrainer/artifacts/modelFolder.ts';
import { nextVersionName } from '../../../services/retrainer/artifacts/versionName.ts';

describe('nextVersionName', () => {
  it.each([
    ['1', ['1'], '2'],
    ['1', ['1', '2', '3'], '4'],
    ['9', ['9', '11'], '10'],
    ['2024-06', ['2024-06'], '2024-06+1'],
    ['2024-06', ['2024-06', '2024-06+1'], '2024-06+2'],
    ['2024-06+1', ['2024-06', '2024-06+1', '2024-06+2'], '2024-06+3'],
    ['v1.2', [], 'v1.2+1'],
    ['12345678901234567890', [], '12345678901234567890+1'],
  ])('after %s with %j is %s', (champion, taken, expected) => {
    expect(nextVersionName(champion, new Set(taken))).toBe(expected);
  });
});

describe('modelFolder', () => {
  it('is a folder of its own inside the folder of artifacts, for any name', () => {
    const names = [
      'churn',
      'fraud/eu',
      '..',
      '.',
      '../../etc',
      'a b',
      'Ä',
      'x'.repeat(256),
      `${'x'.repeat(255)}y`,
      'fraud%2Feu',
      '\ud800',
    ];
    const folders = names.map(name => modelFolder('/artifacts', name));
    expect(new Set(folders).size).toBe(names.length);
    for (const folder of folders) expect(folder).toMatch(/^\/artifacts\/[^/]{1,200}$/);
    expect(folders[0]).toBe('/artifacts/churn');
    expect(folders[2]).toBe('/artifacts/%2E%2E');
  });
});
