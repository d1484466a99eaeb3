import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { families } from '../../../services/detector/families/families.ts';

const page = readFileSync(new URL('../../../docs/analysts.md', import.meta.url), 'utf8');

describe('the families of tests', () => {
  it('stand in docs/analysts.md in their order, each with its metrics and its cause', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` +\| (`.*`) +\| `(\w+)` +\|$/gm)].map(
      ([, family, metrics, cause]) => ({
        family,
        metrics: [...metrics!.matchAll(/`(\w+)`/g)].map(([, metric]) => metric).sort(),
        cause,
      }),
    );
    expect(rows).toEqual(
      families.map(({ name, metrics, cause }) => ({
        family: name,
        metrics: Object.keys(metrics).sort(),
        cause,
      })),
    );
  });

  it('ask one question each, and say in words what each metric measures', () => {
    for (const { question, metrics } of families) {
      expect(question).toMatch(/^[A-Z].*\?$/);
      for (const meaning of Object.values(metrics)) expect(meaning.length).toBeGreaterThan(20);
    }
    expect(new Set(families.map(({ name }) => name)).size).toBe(families.length);
  });
});
