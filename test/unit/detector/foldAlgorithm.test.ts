import { describe, expect, it } from 'vitest';
import { hashSource } from '../../../services/detector/checkpoints/foldAlgorithm.ts';

const source = `
/** Counts. */
import { deepest } from 'package';
import { type Rate, alpha } from '../shared/alpha.ts';
import { beta } from './beta.ts';

// Adds.
export function count(left: number, right: number): string {
  return \`\${alpha + left} / \${beta + right} // no comment\`;
}
`;
const identify = (specifier: string) => specifier.replace(/^.*\//, '');
const hash = hashSource(source, identify);

describe('the identity of the code that makes fold states', () => {
  it.each([
    [
      'a reworded comment',
      source.replace('Counts.', 'Returns the count of both.').replace('// Adds.', ''),
    ],
    [
      'other line breaks and indentation',
      source
        .replaceAll('  return', '\n\n      return')
        .replace('left: number, ', 'left: number,\n'),
    ],
    [
      'a list that was broken into lines',
      source.replace('(left: number, right: number)', '(\n  left: number,\n  right: number,\n)'),
    ],
    ['a file that moved', source.replace('../shared/alpha.ts', '../../counting/alpha.ts')],
    ['imports in another order', source.replace(/(import \{ type.*\n)(import.*\n)/, '$2$1')],
    [
      'a list of imports that was broken into lines',
      source.replace('{ type Rate, alpha }', '{\n  alpha,\n  type Rate,\n}'),
    ],
    ['an import of a type alone', source.replace('type Rate, ', '')],
  ])('stays the same with %s', (_, changed) => {
    expect(changed).not.toBe(source);
    expect(hashSource(changed, identify)).toBe(hash);
  });

  it.each([
    ['an operator', source.replace('alpha + left', 'alpha - left')],
    ['text that only looks like a comment', source.replace('// no comment', '// a comment')],
    ['another import from the same file', source.replace('{ beta }', '{ gamma as beta }')],
    ['a type', source.replace('left: number', 'left: bigint')],
  ])('changes with %s', (_, changed) => {
    expect(changed).not.toBe(source);
    expect(hashSource(changed, identify)).not.toBe(hash);
  });

  it('changes when what it imports changes', () => {
    expect(
      hashSource(source, specifier =>
        specifier === 'package' ? 'package 2.0.0' : identify(specifier),
      ),
    ).not.toBe(hash);
  });
});
