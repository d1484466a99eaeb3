import type { ServerResponse } from 'node:http';
import { maxAnswerBytes } from '../../services/shared/avro/registryRequests.ts';

/** Ids of each kind. */
const idsEach = 5;

/** In the place of the class of a dead letter that depends on what the registry said at the time. */
const anyClass = 'whatever the registry said';

/** Answers that a registry gives for some schema ids, and what becomes of records with such an id. */
export const hostileSchemas = {
  /** The answer is larger than any schema may be. */
  huge: { firstId: 2_000_000, class: 'incompatible-schema' },
  /** The same id has another schema at each request, and none can be read. */
  fickle: { firstId: 3_000_000, class: anyClass },
  /** The registry does not know the id at first, and later knows it. */
  late: { firstId: 4_000_000, class: anyClass },
} as const;

export type HostileSchema = keyof typeof hostileSchemas;
const kinds = Object.keys(hostileSchemas) as HostileSchema[];

/** Returns a schema id of this kind. */
export function hostileId(kind: HostileSchema, random: () => number): number {
  return hostileSchemas[kind].firstId + Math.floor(random() * idsEach);
}

/** Returns the class by which a dead letter of the topic is compared. */
export function comparedClass(storedClass: string, value: Buffer | null): string {
  const hasId = value !== null && value.length >= 5 && value[0] === 0;
  const kind = hasId ? kindOf(value.readInt32BE(1)) : undefined;
  return kind && hostileSchemas[kind].class === anyClass ? anyClass : storedClass;
}

const changingIds = kinds
  .filter(kind => hostileSchemas[kind].class === anyClass)
  .map(kind => `${hostileSchemas[kind].firstId / 10}[0-${idsEach - 1}]`);

/** The same of a row of the table, in SQL. */
export const comparedClassColumn = `if(match(message, 'schema id (${changingIds.join('|')})'), '${anyClass}', class)`;

function kindOf(id: number): HostileSchema | undefined {
  return kinds.find(
    kind => id >= hostileSchemas[kind].firstId && id < hostileSchemas[kind].firstId + idsEach,
  );
}

const unreadable = [
  { schema: '{' },
  { schema: '"string"' },
  { schema: '{"type": "record", "name": "Other", "fields": []}' },
  { schema: 'syntax = "proto9";', schemaType: 'PROTOBUF' },
  { schema: '<xsd/>', schemaType: 'XSD' },
];

/** Answers requests for such ids in the place of a registry. */
export function hostileRegistry() {
  const requests = new Map<number, number>();
  /** @returns whether it has answered */
  return (url: string, answer: ServerResponse): boolean => {
    const id = Number(/\/schemas\/ids\/(\d+)/.exec(url)?.[1] ?? -1);
    const kind = kindOf(id);
    if (kind === undefined) return false;
    const number = requests.get(id) ?? 0;
    requests.set(id, number + 1);
    if (kind === 'huge') answer.end(JSON.stringify({ schema: 'x'.repeat(maxAnswerBytes) }));
    else if (kind === 'late' && number === 0) answer.writeHead(404).end('{"error_code":40403}');
    else answer.end(JSON.stringify(unreadable[number % unreadable.length]));
    return true;
  };
}
