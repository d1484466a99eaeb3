import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import type { Prediction } from '../contracts.ts';

/** The outputs and the groups of a prediction. */
export type Outputs = Pick<Prediction, 'prediction' | 'score' | 'probabilities' | 'segment'>;

/** What a condition may speak of. */
export interface ConditionContext extends Outputs {
  features: Readonly<Record<string, unknown>>;
}

/** Returns whether a condition holds; null if it says nothing, because a value is missing. */
export type Condition = (context: ConditionContext) => boolean | null;

const environment = new Environment({ homogeneousAggregateLiterals: false })
  .registerVariable('features', 'map')
  .registerVariable('prediction', 'dyn')
  .registerVariable('score', 'dyn')
  .registerVariable('probabilities', 'dyn')
  .registerVariable('segment', 'dyn');
// In records all numbers are of one kind, so `10 * features.income` means what it says.
const operations: Record<string, (left: number, right: number) => number> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
};
for (const [operator, compute] of Object.entries(operations)) {
  const ofNumbers = (left: unknown, right: unknown) => compute(Number(left), Number(right));
  environment.registerOperator(`int ${operator} double`, ofNumbers);
  environment.registerOperator(`double ${operator} int`, ofNumbers);
}
environment.registerOperator('double % double', (left: number, right: number) => left % right);

const wholeNumber = /^\d+$/;

/**
 * Compiles a condition in the Common Expression Language (https://cel.dev), such as
 * `features.amount > 10 * features.income && prediction == "approve"`.
 * @throws Error that says what is wrong with the text, in one line
 */
export function compileCondition(text: string): Condition {
  let parsed: ReturnType<Environment['parse']>;
  try {
    parsed = environment.parse(withDecimals(text, environment.parse(text).ast));
  } catch (error) {
    throw new Error(firstLine(error), { cause: error });
  }
  const { type, error } = parsed.check();
  if (error) throw new Error(firstLine(error), { cause: error });
  if (type !== 'bool' && type !== 'dyn')
    throw new Error(`it is ${type}, and has to be true or false`);
  return context => {
    const { stackTraceLimit } = Error;
    // Missing values are usual, and a stack trace takes most of the time that an error takes.
    Error.stackTraceLimit = 0;
    try {
      return parsed(context) === true;
    } catch {
      return null;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  };
}

/**
 * Writes whole numbers in arithmetic as decimals: the library looks for the operation anew in each
 * evaluation where an integer meets a number of a record, which takes ten times as long.
 */
function withDecimals(text: string, ast: ASTNode): string {
  const ends: number[] = [];
  const visit = (node: ASTNode, isOperand: boolean): void => {
    const { op, args, start, end } = node;
    if (op === 'value') {
      if (isOperand && wholeNumber.test(text.slice(start, end))) ends.push(end);
      return;
    }
    const operands = Object.hasOwn(operations, op);
    for (const child of [args].flat(2))
      if (typeof child === 'object' && child !== null && 'op' in child)
        visit(child as ASTNode, operands);
  };
  visit(ast, false);
  return ends
    .sort((one, other) => other - one)
    .reduce((written, end) => `${written.slice(0, end)}.0${written.slice(end)}`, text);
}

function firstLine(error: unknown): string {
  return (error as Error).message.split('\n')[0]!;
}
