import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../../../services/shared/config/settings.ts';
import {
  type CheckedPrediction,
  compileGuardrails,
  type Guardrail,
} from '../../../../services/shared/guardrails/guardrail.ts';

function prediction(
  features: Record<string, unknown>,
  outputs: Partial<CheckedPrediction> = {},
): CheckedPrediction {
  return {
    prediction: 'approve',
    score: 0.7,
    probabilities: null,
    segment: null,
    ...outputs,
    features: { names: Object.keys(features), values: Object.values(features) },
  };
}

/** Returns what a rule says: kept, unknown, or the message of the breach. */
function says(rule: Omit<Guardrail, 'name'>, of: CheckedPrediction): string {
  const [finding] = compileGuardrails([{ name: 'rule', ...rule }]).check(of);
  return typeof finding === 'string' ? finding : finding!.message;
}

describe('a rule about a value', () => {
  const age = { feature: 'age', minimum: 18, maximum: 110 };
  it.each([
    [18, 'kept'],
    [110, 'kept'],
    ['42', 'kept'],
    [17.5, 'age is 17.5; expected from 18 to 110.'],
    ['212', 'age is 212; expected from 18 to 110.'],
    [Number.NaN, 'age is NaN; expected from 18 to 110.'],
    [Number.POSITIVE_INFINITY, 'age is Infinity; expected from 18 to 110.'],
    ['n/a', 'age is "n/a", which is no number.'],
    [true, 'age is "true", which is no number.'],
    [[1, 2], 'age is "a vector", which is no number.'],
    [null, 'unknown'],
  ])('with bounds says of %s: %s', (value, expected) => {
    expect(says(age, prediction({ age: value }))).toBe(expected);
  });

  it('with one bound says so', () => {
    expect(says({ feature: 'age', minimum: 18 }, prediction({ age: 1 }))).toBe(
      'age is 1; expected at least 18.',
    );
    expect(says({ output: 'score', maximum: 1 }, prediction({}, { score: 1.5 }))).toBe(
      'score is 1.5; expected at most 1.',
    );
  });

  it('with allowed values compares texts and numbers alike', () => {
    const rule = { feature: 'code', allowed: ['DE', 7, true] };
    for (const code of ['DE', 7, '7', true, 'true'])
      expect(says(rule, prediction({ code }))).toBe('kept');
    expect(says(rule, prediction({ code: 'de' }))).toBe(
      'code is "de"; expected one of DE, 7, true.',
    );
    expect(says({ output: 'prediction', allowed: ['reject'] }, prediction({}))).toBe(
      'prediction is "approve"; expected one of reject.',
    );
  });

  it('is broken by a missing value only if that is required', () => {
    const required = { feature: 'age', required: true };
    expect(says(required, prediction({}))).toBe('age is missing.');
    expect(says(required, prediction({ age: null }))).toBe('age is missing.');
    expect(says(required, prediction({ age: 'n/a' }))).toBe('kept');
    expect(says(age, prediction({ other: 3 }))).toBe('unknown');
  });

  it('finds its feature where the order of features changes', () => {
    const { check } = compileGuardrails([{ name: 'age', ...age }]);
    const broken = { rule: 'age', subject: 'age', value: '5' };
    expect(check(prediction({ age: 5, income: 30 }))).toMatchObject([broken]);
    expect(check(prediction({ income: 30, age: 5 }))).toMatchObject([broken]);
    expect(check(prediction({ income: 30 }))).toEqual(['unknown']);
    expect(check(prediction({ age: 5 }))).toMatchObject([broken]);
  });
});

describe('a rule with a condition', () => {
  const features = { amount: 900, income: 50.5, country: 'DE', mail: null, blocked: true };
  it.each([
    ['features.amount > 10 * features.income && prediction == "approve"', 'broken'],
    ['features.amount / 2 - 1 > 450 + features.income', 'kept'],
    ['score < 0.5', 'kept'],
    ['features.blocked', 'broken'],
    ['features.country in ["DE", "FR"]', 'broken'],
    ['segment.region == "north"', 'broken'],
    ['has(features.age) && features.age < 18', 'kept'],
    ['features.age < 18', 'unknown'],
    ['features.mail == "x"', 'kept'],
    ['features.mail > 3', 'unknown'],
    ['features["amount"] % 2 == 0', 'broken'],
  ])('%s', (when, expected) => {
    const found = says({ when }, prediction(features, { segment: { region: 'north' } }));
    expect(found).toBe(expected === 'broken' ? `It holds that ${when}.` : expected);
  });
});

describe('rules in the settings', () => {
  const mistakes = (rules: string) => {
    try {
      parseSettings(`models:\n  loans:\n    guardrails:\n${rules}`, 'driftloop.yaml');
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('are read for each model', () => {
    const settings = parseSettings(
      [
        'defaults:',
        '  guardrails: [{ name: sure, output: score, minimum: 0, maximum: 1 }]',
        'models:',
        '  loans:',
        '    guardrails:',
        '      - { name: age, feature: age, minimum: 18 }',
        '      - { name: exposure, when: "features.amount > 10 * features.income" }',
      ].join('\n'),
      'driftloop.yaml',
    );
    expect(settings.of('loans').guardrails.map(({ name }) => name)).toEqual(['age', 'exposure']);
    expect(settings.of('other').guardrails.map(({ name }) => name)).toEqual(['sure']);
  });

  it.each([
    ['{ name: a b, feature: x, minimum: 1 }', 'name: expected up to 100 letters'],
    ['{ name: a, minimum: 1 }', 'name: expected one of feature, output and when beside it'],
    ['{ name: a, feature: x, output: score, minimum: 1 }', 'name: expected one of feature'],
    ['{ name: a, feature: x }', 'name: expected minimum, maximum, allowed or required beside it'],
    ['{ name: a, feature: x, minimum: 2, maximum: 1 }', 'minimum: expected at most maximum'],
    ['{ name: a, when: "score > 1", minimum: 2 }', 'when: is a rule by itself'],
    ['{ name: a, when: "score >" }', 'when: expected a condition in CEL: Unexpected token: EOF'],
    ['{ name: a, when: "amount > 3" }', 'when: expected a condition in CEL: Unknown variable'],
    ['{ name: a, when: "1 + 1" }', 'when: expected a condition in CEL: it is double'],
    ['{ name: a, feature: x, minimum: high }', 'minimum: '],
  ])('are refused: %s', (rule, message) => {
    expect(mistakes(`      - ${rule}`)).toContain(
      `driftloop.yaml:4: models.loans.guardrails.0.${message}`,
    );
  });

  it('are refused if two have one name', () => {
    const rule = '      - { name: a, feature: x, minimum: 1 }';
    expect(mistakes(`${rule}\n${rule}`)).toContain('guardrails.1.name: expected another name');
  });
});
