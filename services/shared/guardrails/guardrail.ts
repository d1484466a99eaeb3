import { type ConditionContext, compileCondition, type Outputs } from './condition.ts';

/** A prediction with its features as two arrays, as services read it. */
export interface CheckedPrediction extends Outputs {
  features: { names: readonly string[]; values: readonly unknown[] };
}

/** A rule that each prediction of a model has to keep, as the settings name it. */
export interface Guardrail {
  /** Unique among the rules of a model. */
  name: string;
  /** The feature or the output that the rule is about; neither for a rule with `when`. */
  feature?: string | undefined;
  output?: 'prediction' | 'score' | undefined;
  /** Smallest and largest number that is fine. */
  minimum?: number | undefined;
  maximum?: number | undefined;
  /** The values that are fine; a number and its text are the same. */
  allowed?: readonly (string | number | boolean)[] | undefined;
  /** Whether a missing value breaks the rule. */
  required?: boolean | undefined;
  /** Condition under which the rule is broken (`compileCondition`). */
  when?: string | undefined;
}

/** Why a prediction breaks a rule. */
export interface Breach {
  /** The name of the rule. */
  rule: string;
  /** The feature or output that the rule is about; '' for a rule with `when`. */
  subject: string;
  /** The value that was found, as text; '' if it is missing, or for a rule with `when`. */
  value: string;
  /** One sentence for a person. */
  message: string;
}

/** What a rule says of a prediction: kept, or that a value is missing which it needs. */
export type Finding = 'kept' | 'unknown' | Breach;

/** The rules of a model, ready to be checked. */
export interface Guardrails {
  rules: readonly Guardrail[];
  /** Returns what each rule says of a prediction, in the order of the rules. */
  check(prediction: CheckedPrediction): Finding[];
}

type Check = (prediction: CheckedPrediction, context: () => ConditionContext) => Finding;

const maxValueCharacters = 200;
const maxValuesShown = 10;

/**
 * Compiles the rules of a model.
 * @throws Error if a condition cannot be read
 */
export function compileGuardrails(rules: readonly Guardrail[]): Guardrails {
  const checks = rules.map(checkOf);
  return {
    rules,
    check(prediction) {
      let known: ConditionContext | null = null;
      const context = () => {
        known ??= contextOf(prediction);
        return known;
      };
      return checks.map(check => check(prediction, context));
    },
  };
}

function checkOf(rule: Guardrail): Check {
  return rule.when === undefined ? checkOfValue(rule) : checkOfCondition(rule.name, rule.when);
}

function checkOfCondition(name: string, when: string): Check {
  const holds = compileCondition(when);
  const breach: Breach = { rule: name, subject: '', value: '', message: `It holds that ${when}.` };
  return (_, context) => {
    const isBroken = holds(context());
    return isBroken === null ? 'unknown' : isBroken ? breach : 'kept';
  };
}

function checkOfValue(rule: Guardrail): Check {
  const { name, required = false, minimum, maximum } = rule;
  const subject = rule.feature ?? rule.output!;
  const read = rule.feature === undefined ? outputReader(rule.output!) : featureReader(subject);
  const allowed = rule.allowed && new Set(rule.allowed.map(String));
  const isBounded = minimum !== undefined || maximum !== undefined;
  const [least, most] = [minimum ?? Number.NEGATIVE_INFINITY, maximum ?? Number.POSITIVE_INFINITY];
  const breach = (value: unknown, problem: string): Breach => ({
    rule: name,
    subject,
    value: value === undefined || value === null ? '' : shownValue(value),
    message: `${subject} ${problem}`,
  });
  return prediction => {
    const value = read(prediction);
    if (value === undefined || value === null)
      return required ? breach(value, 'is missing.') : 'unknown';
    if (isBounded) {
      const number = numberOf(value);
      if (number === null) return breach(value, `is ${quoted(value)}, which is no number.`);
      // A value that is not a number is on neither side.
      if (!(number >= least && number <= most))
        return breach(value, `is ${shownValue(value)}; expected ${rangeOf(rule)}.`);
    }
    if (allowed && !allowed.has(String(value)))
      return breach(value, `is ${quoted(value)}; expected ${listOf(rule.allowed!)}.`);
    return 'kept';
  };
}

function outputReader(output: 'prediction' | 'score') {
  return (prediction: CheckedPrediction): unknown => prediction[output];
}

/** Returns a reader that remembers the place of a feature, which is the same in most records. */
function featureReader(name: string) {
  let place = 0;
  return ({ features: { names, values } }: CheckedPrediction): unknown => {
    if (names[place] !== name) place = names.indexOf(name);
    return values[place];
  };
}

/** Returns the number that a value is, also as text; null if it is none. */
function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return null;
  const number = Number(value);
  return Number.isNaN(number) ? null : number;
}

function contextOf(prediction: CheckedPrediction): ConditionContext {
  const { features, prediction: predicted, score, probabilities, segment } = prediction;
  const values = features.names.map((name, index) => [name, features.values[index]]);
  return {
    features: Object.fromEntries(values),
    prediction: predicted,
    score,
    probabilities,
    segment,
  };
}

function rangeOf({ minimum, maximum }: Guardrail): string {
  if (minimum === undefined) return `at most ${maximum}`;
  return maximum === undefined ? `at least ${minimum}` : `from ${minimum} to ${maximum}`;
}

function listOf(allowed: readonly (string | number | boolean)[]): string {
  const shown = allowed.slice(0, maxValuesShown).map(String).join(', ');
  const more = allowed.length - maxValuesShown;
  return more > 0 ? `one of ${shown} and ${more} more` : `one of ${shown}`;
}

function quoted(value: unknown): string {
  return JSON.stringify(shownValue(value));
}

function shownValue(value: unknown): string {
  const text = typeof value === 'object' ? 'a vector' : String(value);
  return text.length > maxValueCharacters ? `${text.slice(0, maxValueCharacters)}…` : text;
}
