import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const file = new URL('../../../package.json', import.meta.url);
const { scripts } = JSON.parse(readFileSync(file, 'utf8')) as { scripts: Record<string, string> };
const names = Object.keys(scripts).filter(
  name => !(name.replace(/^pre/, '') in scripts && name.startsWith('pre')),
);

describe('scripts of package.json', () => {
  it.each(names)('npm run %s fetches what is missing first', name => {
    const forTests = ['test', 'test:unit', 'watch'].includes(name) ? ' --tests' : '';
    expect(scripts[`pre${name}`]).toBe(`node infra/local/setup.mjs${forTests}`);
  });
});
