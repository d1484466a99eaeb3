import { z } from 'zod';
import { compileCondition } from '../guardrails/condition.ts';

const guardrail = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w.-]{1,100}$/, 'expected up to 100 letters, digits, dots, dashes and underscores')
      .describe('name of the rule, unique for the model'),
    feature: z.string().min(1).optional().describe('the feature that it is about'),
    output: z
      .enum(['prediction', 'score'])
      .optional()
      .describe('the output that it is about, instead of a feature'),
    minimum: z.number().optional().describe('smallest number that is fine'),
    maximum: z.number().optional().describe('largest number that is fine'),
    allowed: z
      .array(z.union([z.string(), z.number(), z.boolean()]))
      .min(1)
      .optional()
      .describe('the values that are fine'),
    required: z.boolean().optional().describe('whether a missing value breaks the rule'),
    when: z
      .string()
      .optional()
      .describe('condition in CEL under which the rule is broken, instead of a feature or output'),
  })
  .superRefine((rule, context) => {
    const fail = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    const { name, feature, output, when, minimum, maximum, ...limits } = rule;
    const subjects = [feature, output, when].filter(given => given !== undefined);
    if (subjects.length !== 1) fail('name', 'expected one of feature, output and when beside it');
    const hasLimit = [minimum, maximum, ...Object.values(limits)].some(
      given => given !== undefined,
    );
    if (when !== undefined && hasLimit)
      fail('when', 'is a rule by itself; remove what is beside it');
    if (when === undefined && !hasLimit)
      fail('name', 'expected minimum, maximum, allowed or required beside it');
    if (minimum !== undefined && maximum !== undefined && minimum > maximum)
      fail('minimum', `expected at most maximum, which is ${maximum}`);
    if (when === undefined) return;
    try {
      compileCondition(when);
    } catch (error) {
      fail('when', `expected a condition in CEL: ${(error as Error).message}`);
    }
  });

/** The guardrails of a model as a file names them. */
export const guardrailsSchema = z
  .array(guardrail)
  .max(100)
  .superRefine((rules, context) => {
    for (const [index, { name }] of rules.entries())
      if (rules.findIndex(rule => rule.name === name) < index)
        context.addIssue({
          code: 'custom',
          path: [index, 'name'],
          message: 'expected another name, because a rule above has this one',
        });
  });
