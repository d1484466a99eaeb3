import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Where the value of a field is in a record of another form, or the value itself. */
export type FieldSource =
  | string
  | { constant: string | number | boolean }
  | readonly string[]
  | Readonly<Record<string, string | { constant: string | number | boolean }>>;

/** How records of another form are read as predictions or feedback. */
export interface InputMapping {
  kind: InputKind;
  /** By field of the contract. Fields that are not listed are read under their own names. */
  fields: Readonly<Record<string, FieldSource>>;
  /** Place of a list whose entries are one prediction or label each. */
  rows?: string | undefined;
}

/** A topic that Driftloop does not own, and how its records are read. */
export interface Input extends InputMapping {
  /** Full name, which no prefix is put before. */
  topic: string;
}

export type InputKind = 'prediction' | 'feedback';

const path = z
  .string({ error: 'expected the place of a value, such as request.uuid' })
  .regex(/^[^.\s]+(\.[^.\s]+)*$/, 'expected names with dots between them, such as request.uuid');
const constant = z.strictObject({
  constant: z.union([z.string(), z.number(), z.boolean()], {
    error: 'expected text, a number, true or false',
  }),
});
const pathOrConstant = z.union([path, constant], {
  error: 'expected a place such as request.uuid, or constant: with a value',
});
const valueOfField = pathOrConstant;
const valuesOfField = z.union(
  [path, z.array(path).min(1), z.record(z.string().min(1), pathOrConstant)],
  { error: 'expected a place such as inputs.*, a list of places, or names with their places' },
);
const fieldsWithNames = ['features', 'probabilities', 'segment', 'quantiles'];

/** Names of the fields of a contract, from the file that defines them. */
function fieldNames(kind: InputKind): string[] {
  const file = new URL(`../../../schemas/${kind}.avsc`, import.meta.url);
  const { fields } = JSON.parse(readFileSync(file, 'utf8')) as { fields: { name: string }[] };
  return fields.map(({ name }) => name);
}

function mappingOf(kind: InputKind) {
  const fields = fieldNames(kind).map(name => [
    name,
    (fieldsWithNames.includes(name) ? valuesOfField : valueOfField).optional(),
  ]);
  return z.strictObject({
    kind: z.literal(kind),
    fields: z.strictObject(Object.fromEntries(fields)).default({}),
    rows: path.optional(),
  });
}

/** The full name of a topic, which no prefix is put before. */
export const topicName = z
  .string({ error: 'expected the full name of a topic' })
  .regex(/^[A-Za-z0-9._-]{1,249}$/, 'expected the full name of a topic');
const unknownKind = { error: 'expected kind: prediction or kind: feedback' };
const mappings = [mappingOf('prediction'), mappingOf('feedback')] as const;
const [ofPredictions, ofFeedback] = mappings;

/** The list `inputs` of a settings file. */
export const inputsSchema = z
  .array(
    z.discriminatedUnion(
      'kind',
      [ofPredictions.extend({ topic: topicName }), ofFeedback.extend({ topic: topicName })],
      unknownKind,
    ),
  )
  .superRefine((inputs, context) => {
    for (const [index, { topic: name, kind }] of inputs.entries()) {
      const first = inputs.findIndex(input => input.topic === name && input.kind === kind);
      if (first < index) {
        const message = `is the topic of entry ${first} as well; one entry says how it is read`;
        context.addIssue({ code: 'custom', path: [index, 'topic'], message });
      }
      const sameNumber = inputs.findIndex(
        input => input.topic !== name && topicNumber(input.topic) === topicNumber(name),
      );
      if (sameNumber !== -1 && sameNumber < index) {
        const message = `cannot be read beside ${inputs[sameNumber]!.topic}, because both names have the same number; read it in an installation of its own`;
        context.addIssue({ code: 'custom', path: [index, 'topic'], message });
      }
    }
  })
  .transform(inputs => inputs as Input[]);

/** The list of a file for `driftloop replay --mapping`, which needs no names of topics. */
export const mappingsSchema = z
  .array(
    z.discriminatedUnion(
      'kind',
      [
        ofPredictions.extend({ topic: topicName.optional() }),
        ofFeedback.extend({ topic: topicName.optional() }),
      ],
      unknownKind,
    ),
  )
  .transform(list => list as InputMapping[]);

/** Returns the topics whose records are predictions, or feedback. */
export function topicsOfKind(inputs: readonly Input[], kind: InputKind): string[] {
  return inputs.filter(input => input.kind === kind).map(({ topic: name }) => name);
}

/** Kafka partitions of a topic; more than any topic has. */
const partitionsPerTopic = 65_536;
const topicNumbers = 32_000;

/** Returns the same number for a topic in every process, from 1 on. */
function topicNumber(name: string): number {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)!) % 2_147_483_647;
  return 1 + (hash % topicNumbers);
}

/**
 * Returns the number under which what was read from a partition is stored. Partitions of
 * Driftloop's own topic keep their numbers, those of other topics get different ones.
 */
export function sourcePartition(
  { topic: name, partition }: { topic: string; partition: number },
  ownTopic: string,
): number {
  return name === ownTopic ? partition : topicNumber(name) * partitionsPerTopic + partition;
}
