import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outputComparison } from '../../../../services/shared/output/comparedOutput.ts';
import { decideOutput } from '../../../../services/shared/output/decideOutput.ts';
import {
  meaningKey,
  type OutputMeaning,
  type OutputSettings,
} from '../../../../services/shared/output/outputMeaning.ts';
import type { ReferenceOutput } from '../../../../services/shared/output/referenceOutput.ts';

type Value = string | number | boolean;

interface Logged {
  prediction: Value;
  label: Value;
  score?: number | null;
  probabilities?: Record<string, number>;
  hasRanking?: boolean;
}

const numberOrNull = (value: Value) => (typeof value === 'number' ? value : null);

function referenceOutput({
  prediction,
  label,
  score = null,
  probabilities,
  hasRanking = false,
}: Logged): ReferenceOutput {
  const given = score ?? numberOrNull(prediction);
  return {
    label: String(label),
    labelValue: numberOrNull(label),
    prediction: String(prediction),
    predictionValue: numberOrNull(prediction),
    score,
    classesOfScore: probabilities
      ? Object.keys(probabilities).filter(name => Math.abs(probabilities[name]! - given!) <= 1e-6)
      : null,
    hasRanking,
  };
}

const decide = (records: readonly Logged[], settings: OutputSettings = {}) =>
  decideOutput(records.map(referenceOutput), settings);

/** Makes records by their index. */
const records = (count: number, make: (index: number) => Logged) =>
  Array.from({ length: count }, (_, index) => make(index));

/** A number between 0 and 1 that looks random. */
const noise = (index: number, seed = 1) => {
  const value = Math.sin(index * 12.9898 + seed * 78.233) * 43758.5453;
  return value - Math.floor(value);
};

/** Predictions and labels of two classes with the probability of the second. 80 % are right. */
const scored = (
  [negative, positive]: [Value, Value],
  [labelNegative, labelPositive]: [Value, Value] = [negative, positive],
  count = 200,
) =>
  Array.from({ length: count }, (_, index) => {
    const probability = Number(noise(index).toFixed(4));
    return {
      prediction: probability >= 0.5 ? positive : negative,
      label: noise(index, 2) < probability ? labelPositive : labelNegative,
      score: probability,
    };
  });

const accuracy = (meaning: OutputMeaning, all: readonly Logged[]) => {
  const compare = outputComparison(meaning);
  const compared = all
    .map(record => compare(referenceOutput(record)))
    .filter(({ label, prediction }) => label !== null && prediction !== null);
  return {
    records: compared.length,
    right: compared.filter(({ label, prediction }) => label === prediction).length,
  };
};

describe('the task', () => {
  it('is a regression if predictions are fractions and labels are numbers, also few whole ones', () => {
    const ratings = records(300, index => ({
      prediction: 4.2 + 2 * noise(index),
      label: 3 + (index % 7),
    }));
    expect(decide(ratings)).toMatchObject({ task: 'regression', predictionIs: 'number' });
  });

  it('is a regression if labels have fractions, or more than 20 values', () => {
    expect(decide([{ label: 0.5, prediction: 1 }]).task).toBe('regression');
    const whole = (values: number) =>
      records(values * 5, index => ({ label: index % values, prediction: 1 }));
    expect(decide(whole(21)).task).toBe('regression');
    expect(decide(whole(20)).task).toBe('multiclass');
  });

  it('is a regression of counts that are predicted as whole numbers only beyond 20 values', () => {
    const counts = records(400, index => ({
      label: Math.floor(noise(index) * 25),
      prediction: Math.floor(noise(index, 3) * 25),
    }));
    expect(decide(counts).task).toBe('regression');
    const few = counts.map(({ label, prediction }) => ({
      label: Math.min(9, label as number),
      prediction: Math.min(9, prediction as number),
    }));
    expect(decide(few).task).toBe('multiclass');
    expect(decide(few, { task: 'regression' }).task).toBe('regression');
  });

  it('is a regression of counts that are mostly 0 and 1, if fractions are predicted', () => {
    const claims = records(500, index => ({
      label: index % 50 === 0 ? 2 : index % 5 === 0 ? 1 : 0,
      prediction: 0.05 + noise(index) / 2,
    }));
    expect(decide(claims).task).toBe('regression');
    const amounts = records(500, index => ({
      label: index % 50 === 0 ? 100 + index : 0,
      prediction: noise(index) / 2,
    }));
    expect(decide(amounts).task).toBe('regression');
  });

  it('is a regression of numbers that are written as text', () => {
    const numbers = records(100, index => ({ label: `${index * 1.5}`, prediction: index * 1.4 }));
    expect(decide(numbers).task).toBe('regression');
  });

  it.each(['N/A', '', 'ungültig', 'nan', 'null'])(
    'is a regression with a label %j, in any place',
    odd => {
      const numbers = records(500, index => ({ label: index / 3, prediction: index / 3 + 0.2 }));
      for (const at of [0, 250, 499]) {
        const mixed = numbers.with(at, { label: odd, prediction: 2.5 });
        expect(decide(mixed).task).toBe('regression');
        expect(accuracy(decide(mixed), mixed).records).toBe(499);
      }
      expect(decide([{ label: odd, prediction: 2.5 }, ...numbers.slice(0, 5)]).task).toBe(
        'regression',
      );
    },
  );

  it('is not a regression if numbers are the names of classes', () => {
    const codes = records(300, index => ({
      label: index % 25,
      prediction: index % 25,
      probabilities: { [index % 25]: 0.9 },
    }));
    expect(decide(codes).task).toBe('multiclass');
    const items = codes.map(({ label, prediction }) => ({ label, prediction }));
    expect(decide(items).task).toBe('regression');
    expect(decide(items.map(item => ({ ...item, hasRanking: true }))).task).toBe('multiclass');
    const texts = records(300, index => ({ label: `${index % 25}`, prediction: `${index % 25}` }));
    expect(decide(texts).task).toBe('multiclass');
  });

  it('is multiclass for three classes with numbers as names', () => {
    const classes = records(100, index => ({
      label: index % 3,
      prediction: (index + (index % 9 ? 0 : 1)) % 3,
    }));
    expect(decide(classes)).toMatchObject({ task: 'multiclass', positiveLabel: null });
    expect(
      decide(classes)
        .classes.map(({ name }) => name)
        .sort(),
    ).toEqual(['0', '1', '2']);
  });

  it('is multiclass with classes that are rare, or never predicted', () => {
    const classes = records(300, index => ({
      label: ['a', 'b', 'c', index % 30 === 0 ? 'rare' : 'd'][index % 4]!,
      prediction: ['a', 'b', 'c', 'd'][index % 4]!,
    }));
    expect(decide(classes)).toMatchObject({ task: 'multiclass', openLabels: true });
    expect(accuracy(decide(classes), classes).records).toBe(300);
  });

  it('is binary with many labels that are absent', () => {
    const mixed = scored(['no', 'yes']).map((record, index) => ({
      ...record,
      label: index % 3 === 0 ? 'N/A' : record.label,
    }));
    expect(decide(mixed)).toMatchObject({ task: 'binary', positiveLabel: 'yes' });
    expect(accuracy(decide(mixed), mixed).records).toBe(133);
  });

  it.each<[string, Logged]>([
    ['a label N/A', { label: 'N/A', prediction: 'yes' }],
    ['an empty label', { label: '', prediction: 'yes' }],
    ['a label of neither class', { label: 'withdrawn', prediction: 'no' }],
    ['a prediction of neither class', { label: 'no', prediction: 'timeout' }],
  ])('is binary with %s, which is set apart', (_, odd) => {
    for (const at of [0, 77, 199]) {
      const mixed = (scored(['no', 'yes']) as Logged[]).with(at, odd);
      const meaning = decide(mixed);
      expect(meaning).toMatchObject({ task: 'binary', positiveLabel: 'yes', openLabels: false });
      expect(accuracy(meaning, mixed).records).toBe(199);
    }
  });

  it('is binary with a positive class that is rare and never predicted', () => {
    const rare = records(1000, index => ({
      label: index % 300 === 7 ? 'fraud' : 'legit',
      prediction: 'legit',
      score: index % 300 === 7 ? 0.4 : 0.3 * noise(index),
    }));
    expect(decide(rare)).toMatchObject({ task: 'binary' });
    expect(accuracy(decide(rare), rare)).toEqual({ records: 1000, right: 996 });
  });

  it('takes missing words for a class that is predicted as well', () => {
    const levels = records(100, index => ({
      label: ['none', 'mild', 'severe'][index % 3]!,
      prediction: ['none', 'mild', 'mild'][index % 3]!,
    }));
    expect(decide(levels).classes.map(({ name }) => name)).toContain('none');
  });
});

describe('one spelling of a class', () => {
  it.each<[string, [Value, Value], [Value, Value]]>([
    ['true/false against 1/0', [false, true], [0, 1]],
    ['1/0 against yes/no', [0, 1], ['no', 'yes']],
    ['1/0 against True/False', [0, 1], ['False', 'True']],
    ['1.0/0.0 as text against 1/0', ['0.0', '1.0'], [0, 1]],
    ['"1" against 1', ['0', '1'], [0, 1]],
    ['y/n against true/false', ['n', 'y'], [false, true]],
    ['t/f against 1/0', ['f', 't'], [0, 1]],
    ['1/0 against 1/-1', [0, 1], [-1, 1]],
    ['other case and spaces', ['stays', 'Leaves'], [' Stays', 'LEAVES ']],
    ['composed and decomposed letters', ['non', 'sûr'], ['non', 'su\u0302r']],
  ])('%s', (_, predicted, labels) => {
    const all = scored(predicted, labels);
    const meaning = decide(all);
    expect(meaning).toMatchObject({
      task: 'binary',
      comparable: true,
      scoreOf: String(labels[1]).normalize('NFC').trim(),
    });
    expect(meaning.classes.map(({ name }) => name).sort()).toEqual(
      labels.map(label => String(label).normalize('NFC').trim()).sort(),
    );
    const right = accuracy(decide(scored(['no', 'yes'])), scored(['no', 'yes']));
    expect(accuracy(meaning, all)).toEqual(right);
  });

  it('is found where both sides mix spellings', () => {
    const yes = ['yes', 'Yes', 'YES', 'y'];
    const all = scored(['no', 'yes']).map(({ label, prediction, ...others }, index) => ({
      ...others,
      label: label === 'yes' ? yes[index % 4]! : 'No',
      prediction: prediction === 'yes' ? 1 : 0,
    }));
    expect(decide(all).classes).toHaveLength(2);
    expect(accuracy(decide(all), all)).toEqual(
      accuracy(decide(scored(['no', 'yes'])), scored(['no', 'yes'])),
    );
  });

  it('keeps a and A apart where they are classes beside others', () => {
    const letters = ['a', 'A', 'b', 'B', 'e', 'E'];
    const all = records(300, index => ({
      label: letters[index % 6]!,
      prediction: letters[(index + (index % 17 === 0 ? 1 : 0)) % 6]!,
    }));
    expect(decide(all).classes).toHaveLength(6);
    const sloppy = records(300, index => ({
      label: letters[index % 6]!,
      prediction: letters[(index % 6) ^ (noise(index) < 0.5 ? 1 : 0)]!,
    }));
    expect(decide(sloppy).classes).toHaveLength(3);
  });

  it('does not take letters for words of truth', () => {
    const letters = records(200, index => ({
      label: 'abfnty'[index % 6]!,
      prediction: 'abfnty'[index % 6]!,
    }));
    expect(decide(letters)).toMatchObject({ task: 'multiclass' });
    expect(decide(letters).classes).toHaveLength(6);
    const states = scored(['n', 'f']);
    expect(
      decide(states)
        .classes.map(({ name }) => name)
        .sort(),
    ).toEqual(['f', 'n']);
  });

  it('knows a spelling that was not in the reference', () => {
    const meaning = decide(scored([false, true], [0, 1]));
    const compare = outputComparison(meaning);
    const later = referenceOutput({ prediction: 'TRUE ', label: '1.0' });
    expect(compare(later)).toEqual({ label: '1', prediction: '1' });
  });
});

describe('classes that have nothing in common', () => {
  const all = scored(['decline', 'approve'], [0, 1]);

  it('cannot be compared, and leave no error behind', () => {
    const meaning = decide(all);
    expect(meaning).toMatchObject({ task: 'binary', comparable: false, positiveLabel: '1' });
    expect(accuracy(meaning, all).records).toBe(0);
    expect(meaning.evidence.join(' ')).toContain('nothing in common');
  });

  it('are not assumed of a few records, or of one wrong class', () => {
    expect(decide([{ label: 'down', prediction: 'up' }]).comparable).toBe(true);
    const missed = records(60, () => ({ label: 'fraud', prediction: 'legit' }));
    expect(decide(missed)).toMatchObject({ comparable: true, task: 'binary' });
  });
});

describe('predictions that are no classes', () => {
  const withPrediction = (scale: (p: number) => number, labels: [Value, Value]) =>
    scored(labels).map(({ label, score }) => ({ label, prediction: scale(score!) }));

  it.each<[Value, Value]>([
    [0, 1],
    [false, true],
    ['no', 'yes'],
    ['0', '1'],
    [-1, 1],
  ])('are probabilities against %j and %j', (...labels) => {
    const all = withPrediction(p => p, labels);
    const meaning = decide(all);
    expect(meaning).toMatchObject({
      task: 'binary',
      predictionIs: 'probability',
      scoreOf: String(labels[1]),
      threshold: 0.5,
    });
    expect(accuracy(meaning, all)).toEqual(accuracy(decide(scored(labels)), scored(labels)));
  });

  it('are probabilities of the class that labels say at high ones, whatever the names', () => {
    expect(decide(withPrediction(p => p, ['stays', 'leaves']))).toMatchObject({
      predictionIs: 'probability',
      scoreOf: 'leaves',
      positiveLabel: 'leaves',
    });
  });

  it('are probabilities if some are exactly 0 or 1', () => {
    const saturated = withPrediction(p => (p < 0.4 ? 0 : p > 0.6 ? 1 : p), [0, 1]);
    expect(decide(saturated).predictionIs).toBe('probability');
    expect(decide(scored([0, 1])).predictionIs).toBe('class');
  });

  it('are scores if they are log-odds, and can be compared with a configured threshold', () => {
    const all = withPrediction(p => Math.log((p + 0.01) / (1.01 - p)), [0, 1]);
    expect(decide(all)).toMatchObject({
      predictionIs: 'score',
      comparable: false,
      threshold: null,
      scoreOf: '1',
    });
    const meaning = decide(all, { threshold: 0 });
    expect(meaning.comparable).toBe(true);
    expect(accuracy(meaning, all).records).toBe(200);
  });

  it('use the configured threshold', () => {
    const compare = outputComparison(
      decide(
        withPrediction(p => p, [0, 1]),
        { threshold: 0.2 },
      ),
    );
    expect(compare(referenceOutput({ label: 1, prediction: 0.3 })).prediction).toBe('1');
    expect(compare(referenceOutput({ label: 1, prediction: 1.7 })).prediction).toBeNull();
  });
});

describe('positive class and class of the score', () => {
  const names: [Value, Value][] = [
    ['stays', 'leaves'],
    ['leaves', 'stays'],
    ['legit', 'fraud'],
    ['z', 'a'],
    ['a', 'z'],
  ];

  it.each(names)('%j, %j: the class whose probability equals the score', (negative, positive) => {
    const all = scored([negative, positive]).map(record => ({
      ...record,
      prediction: negative,
      probabilities: { [String(negative)]: 1 - record.score, [String(positive)]: record.score },
    }));
    expect(decide(all)).toMatchObject({
      scoreOf: positive,
      positiveLabel: positive,
      disagreement: null,
    });
  });

  it.each(names)('%j, %j: the class that is predicted at high scores', (negative, positive) => {
    const meaning = decide(scored([negative, positive]));
    expect(meaning).toMatchObject({ scoreOf: positive, positiveLabel: positive });
  });

  it('is the class that labels say at high scores, if nothing is predicted but one class', () => {
    const all = scored(['legit', 'fraud']).map(record => ({ ...record, prediction: 'legit' }));
    expect(decide(all)).toMatchObject({ scoreOf: 'fraud', positiveLabel: 'fraud' });
  });

  it('may be two classes: the positive one by its name, and the score is of the other', () => {
    const all = scored([1, 0]);
    expect(decide(all)).toMatchObject({ positiveLabel: '1', scoreOf: '0', disagreement: null });
  });

  it('is the configured one, else 1, true, yes, else the last in order', () => {
    const of = (labels: Value[], predictions: Value[], settings: OutputSettings = {}) =>
      decide(
        labels.map((label, index) => ({
          label,
          prediction: predictions[index % predictions.length]!,
        })),
        settings,
      ).positiveLabel;
    expect(of(['good', 'bad'], ['bad'], { positiveLabel: 'bad' })).toBe('bad');
    expect(of(['Good', 'Bad'], ['Bad'], { positiveLabel: 'bad' })).toBe('Bad');
    expect(of([0, 1], [1], { positiveLabel: 'true' })).toBe('1');
    expect(of([0, 1], [0, 1], { positiveLabel: 'fraud' })).toBe('fraud');
    expect(of(['legit'], ['legit'], { positiveLabel: 'fraud' })).toBe('fraud');
    expect(of([1, 2], [1])).toBe('1');
    expect(of([false, true], [true])).toBe('true');
    expect(of(['zero', 'Yes'], ['Yes'])).toBe('Yes');
    expect(of(['up', 'down'], ['up'])).toBe('up');
    expect(of(['down', 'down'], ['down', 'up'])).toBe('up');
    expect(decideOutput([])).toMatchObject({ task: 'binary', positiveLabel: null });
  });

  it('is the confidence of the predicted class, by probabilities or by its size', () => {
    const all = scored(['stays', 'leaves']).map(record => ({
      ...record,
      score: Math.max(record.score, 1 - record.score),
      probabilities: { stays: 1 - record.score, leaves: record.score },
    }));
    expect(decide(all).scoreIs).toBe('confidence');
    expect(decide(all.map(({ probabilities: _, ...record }) => record)).scoreIs).toBe('confidence');
    expect(decide(scored(['stays', 'leaves'])).scoreIs).toBe('class');
  });

  it('knows scores that are no probabilities', () => {
    const all = scored(['no', 'yes']);
    expect(decide(all).scoresAreProbabilities).toBe(true);
    const percents = all.map(record => ({ ...record, score: record.score * 100 }));
    expect(decide(percents)).toMatchObject({ scoreOf: 'yes', scoresAreProbabilities: false });
  });

  it('says how evidence and settings contradict each other', () => {
    const all = scored(['stays', 'leaves']);
    expect(decide(all, { scoreOf: 'stays' })).toMatchObject({
      scoreOf: 'stays',
      disagreement:
        'The settings say that score is of "stays", but predictions say "leaves" at high scores.',
    });
    const inverted = all.map(record => ({
      ...record,
      prediction: record.prediction === 'stays' ? 'leaves' : 'stays',
      probabilities: { stays: 1 - record.score, leaves: record.score },
    }));
    expect(decide(inverted)).toMatchObject({
      scoreOf: 'leaves',
      disagreement:
        'Score is the probability of "leaves", but predictions say "stays" at high scores.',
    });
    const unrelated = all.map((record, index) => ({ ...record, score: noise(index, 5) }));
    expect(decide(unrelated).disagreement).toContain('Scores do not tell which class is predicted');
  });
});

describe('any records', () => {
  const value: fc.Arbitrary<Value> = fc.oneof(
    fc.constantFrom('a', 'A', 'b', 'Yes', 'no', '1', '0', '0.5', '', 'N/A', '-1', ' 1.0 '),
    fc.integer({ min: -2, max: 30 }),
    fc.constantFrom(0, 1, -0, 0.5, 1e300, 1e-300),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
  );
  const record = fc.record({
    prediction: value,
    label: value,
    score: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  });

  it('lead to the same meaning in any order, with consistent fields', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), fc.nat(), (all, turn) => {
        const meaning = decide(all);
        const at = all.length === 0 ? 0 : turn % all.length;
        const turned = decide([...all.slice(at), ...all.slice(0, at)]);
        expect(meaningKey(turned)).toBe(meaningKey(meaning));
        if (meaning.task !== 'binary') expect(meaning.positiveLabel).toBeNull();
        if (meaning.task === 'binary') expect(meaning.classes.length).toBeLessThanOrEqual(2);
        expect((meaning.predictionIs === 'number') === (meaning.task === 'regression')).toBe(true);
        for (const { name, spellings } of meaning.classes) {
          const compare = outputComparison(meaning);
          for (const text of spellings)
            expect(compare(referenceOutput({ label: text, prediction: text })).label).toBe(name);
        }
      }),
      { numRuns: 500 },
    );
  });
});
