import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { noHistory } from '../../../services/detector/significance/statisticHistory.ts';
import { emptyStreamHistory } from '../../../services/detector/significance/streamHistory.ts';
import { freezeBins } from '../../../services/shared/bins/freezeBins.ts';
import { bucketKey } from '../../../services/shared/profile/bucketKey.ts';
import { countsOf, histogramOf, profileOf } from './profile/profileOf.ts';

/** Names that examples may use in addition to the exports of their own file. */
const helpers = {
  bucketKey,
  countsOf,
  emptyStreamHistory,
  freezeBins,
  histogramOf,
  noHistory,
  profileOf,
};

/** Files whose import loads TensorFlow.js, which takes seconds. They have no examples. */
const withTensorflow = /\/(model|modelArtifact|tensorflow|trainModel)\.ts$/;

const root = new URL('../../../', import.meta.url);
const files = [
  'services/shared/bins',
  'services/shared/kinds',
  'services/shared/model',
  'services/shared/profile',
  'services/shared/statistics',
  'services/detector/blocks',
  'services/detector/reference',
  'services/detector/significance',
]
  .flatMap(folder => readdirSync(new URL(folder, root)).map(name => `${folder}/${name}`))
  .filter(file => !withTensorflow.test(file));

interface Example {
  code: string;
  value: string;
}

/**
 * Finds the examples in the doc comments of a file. An example is code, followed by `// ` and the
 * value of its last expression.
 */
function examplesOf(source: string): Example[] {
  const examples = source.matchAll(/@example\b([^@]*?)(?=@|\*\/)/g);
  return Array.from(examples, ([, text]) => {
    const lines = text!.split('\n').map(line => line.replace(/^\s*\* ?/, '').trim());
    const [, code, value] = /^(.*?)\/\/ (.*)$/s.exec(lines.join('\n').trim())!;
    return { code: code!.trim(), value: value! };
  });
}

/** Returns the value of the last expression of some code, which may follow declarations. */
function evaluate(code: string, scope: Record<string, unknown>): unknown {
  const statements = code.split(/;\n/);
  const body = [...statements.slice(0, -1), `return (${statements.at(-1)})`].join(';\n');
  return new Function(...Object.keys(scope), body)(...Object.values(scope));
}

/** Rounds the numbers of a value to as many significant digits as the example shows. */
function rounded(actual: unknown, shown: unknown): unknown {
  if (typeof actual === 'number' && typeof shown === 'number') {
    const [digits] = String(Math.abs(shown)).split('e');
    const precision = digits!.replace('.', '').replace(/^0+/, '').length;
    if (!Number.isInteger(shown)) return Number(actual.toPrecision(precision));
    return Math.abs(actual - shown) <= 1e-9 * Math.abs(shown) ? shown : actual;
  }
  if (Array.isArray(actual) && Array.isArray(shown))
    return actual.map((one, index) => rounded(one, shown[index]));
  if (actual?.constructor === Object && shown?.constructor === Object)
    return Object.fromEntries(
      Object.entries(actual).map(([key, one]) => [
        key,
        rounded(one, (shown as Record<string, unknown>)[key]),
      ]),
    );
  return actual;
}

describe('examples in doc comments', () => {
  it.each(files)('give the values that they show: %s', async file => {
    const url = new URL(file, root);
    const examples = examplesOf(readFileSync(url, 'utf8'));
    const scope = { ...helpers, ...(await import(url.href)) };
    for (const { code, value } of examples) {
      const shown = evaluate(value, scope);
      expect(rounded(evaluate(code, scope), shown), code).toEqual(shown);
    }
  });
});
