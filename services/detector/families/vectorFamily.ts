import { benjaminiHochberg } from '../../shared/statistics/benjaminiHochberg.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import { type Comparison, minOwnBlocks } from '../reference/comparison.ts';
import { type Judgement, judge } from '../significance/nullModel.ts';
import { statisticThreshold } from '../significance/statisticThreshold.ts';
import { lengthKey, meanKey, type TestKey } from '../significance/streamHistory.ts';
import { levelOfFamily } from '../significance/tailHistory.ts';
import type { Measured } from '../significance/testBestReference.ts';
import { type Evidence, evidenceOf, shares, shown } from './evidence.ts';
import type { FamilyContext, FamilyResult, TestFamily } from './testFamily.ts';
import { correctedLevel, type TestResult } from './testResult.ts';
import { measureVectors, type VectorMeasurement } from './vectorStatistic.ts';

/** A mean vector whose cosine with the one before is lower is no shift of topics. */
const minCosine = 0.5;

/** Tests whether the mean vectors of features, such as embeddings, moved. */
export const vectorsFamily: TestFamily = {
  name: 'vectors',
  question: 'Do the mean vectors point elsewhere, or are they longer or shorter than before?',
  metrics: {
    mean_direction: 'distance of the mean vector from that of the reference, 1 less their cosine',
    mean_length: 'length of the mean vector in the direction of that of the reference',
  },
  cause: 'data_drift',
  keepsHistory: true,
  hasData: ({ reference }) => reference.vectors.size > 0,
  test: testVectors,
};

/** One test of one feature. */
interface VectorTest extends VectorMeasurement {
  key: TestKey;
  variable: FrozenVariable;
  cosine: number;
  judgement: Judgement;
  noiseWeight: number;
  judgementOf(statistic: number): Judgement;
}

const noCycles: Measured['cyclic'] = new Map();

/** Tests directions and lengths of all features by Simes. */
function testVectors(
  comparison: Comparison,
  { stream, level, options: { frozen } }: FamilyContext,
): FamilyResult | null {
  const tests = [...frozen].flatMap(([key, variable]) =>
    variable.dimension === null ? [] : testsOf(comparison, key, variable, stream),
  );
  if (tests.length === 0) return null;
  const { scale } = comparison;
  const adjusted = benjaminiHochberg(tests.map(({ judgement }) => judgement.pValue));
  const leading = tests.reduce((left, right) =>
    right.judgement.logPValue < left.judgement.logPValue ? right : left,
  );
  const tail = stream.tail('vectors', scale);
  const familyLevel = levelOfFamily(tail, scale, leading.noiseWeight, level);
  const changed = tests.filter((_, index) => adjusted[index]! <= familyLevel);
  const resultOf = (test: VectorTest): TestResult => {
    const isChanged = changed.includes(test);
    const ofTest = correctedLevel(familyLevel, changed.length, tests.length, isChanged);
    const { metric, value, referenceValue, records, referenceRecords, noiseWeight } = test;
    const { pValue, logPValue, overdispersion } = test.judgement;
    return {
      family: 'vectors',
      kind: 'feature',
      feature: test.variable.name,
      metric,
      scale,
      value,
      referenceValue,
      records,
      referenceRecords,
      cycle: null,
      noiseWeight,
      familyLevel,
      level: ofTest,
      changed: isChanged,
      logPValue,
      detail: () => ({
        pValue,
        threshold: test.valueAt(statisticThreshold(test.judgementOf, ofTest)),
        overdispersion,
      }),
    };
  };
  return {
    results: tests.map(resultOf),
    measured: new Map(
      tests.map(({ key, statistic, degreesOfFreedom, size }) => [
        key,
        { plain: { statistic, degreesOfFreedom, size }, cyclic: noCycles },
      ]),
    ),
    logPValue: Math.max(leading.judgement.logPValue, Math.log(Math.min(...adjusted))),
    evidence: changed.length > 0 ? evidenceOfVectors(changed, resultOf) : null,
  };
}

function testsOf(
  comparison: Comparison,
  key: string,
  variable: FrozenVariable,
  stream: FamilyContext['stream'],
): VectorTest[] {
  const measured = measureVectors(comparison, key, variable.freedom);
  if (!measured) return [];
  const { scale, referenceBlocks } = comparison;
  const { direction, length, cosine } = measured;
  const testOf = (testKey: TestKey, one: VectorMeasurement): VectorTest => {
    const significance = stream.of(testKey);
    const isOwn = referenceBlocks.length >= minOwnBlocks;
    const judgementOf = (statistic: number) =>
      judge(significance, { ...one, statistic }, scale, isOwn);
    const { noiseWeight } = significance;
    const judgement = judgementOf(one.statistic);
    return { ...one, key: testKey, variable, cosine, judgement, noiseWeight, judgementOf };
  };
  return [testOf(meanKey(key), direction), ...(length ? [testOf(lengthKey(key), length)] : [])];
}

function evidenceOfVectors(
  changed: readonly VectorTest[],
  resultOf: (test: VectorTest) => TestResult,
): Evidence {
  const [strongest] = changed.toSorted(
    (left, right) => left.judgement.logPValue - right.judgement.logPValue,
  );
  const names = [...new Set(changed.map(({ variable }) => variable.name))];
  const isOther = changed.some(({ cosine }) => cosine < minCosine);
  return evidenceOf(resultOf(strongest!), {
    large: isOther,
    contributions: shares(names.map(name => [name, 1])),
    summary: summaryOf(strongest!, isOther),
  });
}

function summaryOf(test: VectorTest, isOther: boolean): string {
  const { metric, variable, value, referenceValue, cosine } = test;
  if (isOther)
    return `the vectors of ${variable.name} are of another kind than before (the cosine of their means is ${shown(cosine)}): probably the encoder changed, not what it encodes`;
  return metric === 'mean_direction'
    ? `the mean vector of ${variable.name} points elsewhere (1 − cosine ${shown(value)})`
    : `the mean vector of ${variable.name} went from length ${shown(referenceValue!)} to ${shown(value)}, so its vectors are ${value < referenceValue! ? 'more' : 'less'} spread`;
}
