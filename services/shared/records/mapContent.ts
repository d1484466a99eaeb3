import type { FieldSource, InputMapping } from '../config/inputs.ts';
import { isObject } from './contractValue.ts';

/** Rows of one record; a larger batch is a mistake or an attack. */
const maxRows = 10_000;

/** What keeps a record from being mapped, as a dead letter says it. */
export class MappingError extends Error {}

/**
 * Returns a record of another form as objects with the fields of a contract, one for each row. A
 * place is looked up in the row first and then in the record. `#` in a place is the number of the
 * row, and a `*` at its end stands for all fields of the object there. A field that has no place is
 * read under its own name, except `weight`, `ranking`, `quantiles` and `shadow`, which in records of
 * another form may be those of a thing.
 *
 * An id that several rows share gets the number of the row, so that they are different predictions.
 * @throws MappingError if the record has no rows where they should be
 * @example mapContent({ uuid: 'a', in: { age: 41 } }, { fields: { id: 'uuid', features: 'in.*' } })
 * // [{ id: 'a', features: { age: 41 } }]
 */
export function mapContent(content: unknown, mapping: InputMapping): unknown[] {
  const { rows, kind } = mapping;
  if (!isObject(content))
    throw new MappingError(`expected an object that is mapped to ${kind}, got no object`);
  if (rows === undefined) return [mapRow(content, null, mapping)];
  const list = lookUp(content, partsOf(rows, 0));
  if (!Array.isArray(list))
    throw new MappingError(`${rows}: expected a list with one ${kind} each`);
  if (list.length === 0) throw new MappingError(`${rows}: the list is empty`);
  if (list.length > maxRows) {
    throw new MappingError(
      `${rows}: the list has ${list.length} entries, at most ${maxRows} are read`,
    );
  }
  return list.map((row, index) => mapRow(content, { row, index }, mapping));
}

/** Fields whose names stand for something else in many records. */
const oftenOfThings = ['weight', 'ranking', 'quantiles', 'shadow'];

interface Row {
  row: unknown;
  index: number;
}

function mapRow(
  content: Record<string, unknown>,
  row: Row | null,
  { fields }: InputMapping,
): Record<string, unknown> {
  const used = namesIn(fields);
  const mapped: Record<string, unknown> = { ...content };
  if (row !== null && isObject(row.row)) Object.assign(mapped, row.row);
  for (const name of oftenOfThings) delete mapped[name];
  for (const [name, source] of Object.entries(fields))
    mapped[name] = valueFrom(source, content, row, used);
  if (row !== null && isShared(fields.id ?? 'id', row) && mapped.id !== undefined)
    mapped.id = `${mapped.id}-${row.index}`;
  return mapped;
}

/** Returns whether all rows of a record find the same value. */
function isShared(source: FieldSource, { row, index }: Row): boolean {
  if (typeof source !== 'string') return true;
  const hasPlaceOfRow = source.split('.').includes('#');
  return !hasPlaceOfRow && lookUp(row, partsOf(source, index)) === undefined;
}

/** Names at the top of a record that fields are read from, which `*` leaves out. */
function namesIn(fields: InputMapping['fields']): ReadonlySet<string> {
  const names = Object.entries(fields)
    .filter(([name]) => name !== 'features')
    .flatMap(([name, source]) => [name, ...placesOf(source)])
    .map(place => place.split('.')[0]!);
  return new Set(names);
}

function placesOf(source: FieldSource): string[] {
  if (typeof source === 'string') return [source];
  return Object.values(source).filter(place => typeof place === 'string');
}

function valueFrom(
  source: FieldSource,
  content: Record<string, unknown>,
  row: Row | null,
  used: ReadonlySet<string>,
): unknown {
  if (typeof source === 'string') return valueAt(source, content, row, used);
  if (Array.isArray(source)) {
    return fromEntries(
      source.map(place => [
        place.slice(place.lastIndexOf('.') + 1),
        valueAt(place, content, row, used),
      ]),
    );
  }
  if (isConstant(source)) return source.constant;
  return fromEntries(
    Object.entries(source as Record<string, FieldSource>).map(([name, place]) => [
      name,
      valueFrom(place, content, row, used),
    ]),
  );
}

function isConstant(source: FieldSource): source is { constant: string | number | boolean } {
  const { constant } = source as { constant?: unknown };
  return constant !== undefined && Object.keys(source).length === 1;
}

function fromEntries(entries: [string, unknown][]): Record<string, unknown> {
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function valueAt(
  place: string,
  content: Record<string, unknown>,
  row: Row | null,
  used: ReadonlySet<string>,
): unknown {
  if (place === '*') {
    const all = row === null ? content : row.row;
    if (!isObject(all)) return all;
    return fromEntries(Object.entries(all).filter(([name]) => !used.has(name)));
  }
  const parts = partsOf(place.endsWith('.*') ? place.slice(0, -2) : place, row?.index ?? 0);
  const inRow = row === null ? undefined : lookUp(row.row, parts);
  return inRow === undefined ? lookUp(content, parts) : inRow;
}

function partsOf(place: string, index: number): string[] {
  return place.split('.').map(part => (part === '#' ? String(index) : part));
}

/** Returns what is at a place. A name may have dots itself, as the columns of a file do. */
function lookUp(content: unknown, parts: readonly string[]): unknown {
  if (parts.length === 0) return content;
  if (Array.isArray(content)) {
    const [index, ...rest] = parts as [string, ...string[]];
    return /^\d+$/.test(index) ? lookUp(content[Number(index)], rest) : undefined;
  }
  if (!isObject(content)) return undefined;
  for (let length = parts.length; length > 0; length--) {
    const name = parts.slice(0, length).join('.');
    if (!Object.hasOwn(content, name)) continue;
    const found = lookUp(content[name], parts.slice(length));
    if (found !== undefined) return found;
  }
  return undefined;
}
