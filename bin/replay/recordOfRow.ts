import { contractType } from '../../services/shared/avro/contractTypes.ts';
import { snakeCase } from '../../services/shared/avro/resolveSchema.ts';
import type { InputKind, InputMapping } from '../../services/shared/config/inputs.ts';
import { MappingError, mapContent } from '../../services/shared/records/mapContent.ts';

/** A row of a table, by the names of its columns. */
export type TableRow = Record<string, unknown>;

const objectFields = ['features', 'segment', 'probabilities', 'quantiles'];
/** Fields whose text is a number where it looks like one. Ids and names keep their zeros. */
const numericFields = ['prediction', 'label'];

/**
 * Returns the records of a row of a table. Without a mapping its columns are called like the fields
 * of the contract, with those of an object as `segment.country`. When no column begins with
 * `features.`, all columns that are no fields are features, and so are `weight`, `shadow` and a
 * `ranking` that is no list, which may be those of a thing.
 */
export function recordOfRow(
  row: TableRow,
  kind: InputKind,
  mapping: InputMapping | null,
): Record<string, unknown>[] {
  const records = mapping ? mappedOrAsItIs(row, mapping) : [byName(row, kind)];
  return records.map(withNumbers);
}

function mappedOrAsItIs(row: TableRow, mapping: InputMapping): TableRow[] {
  try {
    return mapContent(row, mapping) as TableRow[];
  } catch (error) {
    if (error instanceof MappingError) return [row];
    throw error;
  }
}

function byName(row: TableRow, kind: InputKind): TableRow {
  const names = fieldNames(kind);
  const record: TableRow = {};
  const others: TableRow = {};
  for (const [column, value] of Object.entries(row)) {
    const prefix = objectFields.find(name => column.startsWith(`${name}.`));
    if (prefix) {
      record[prefix] = { ...(record[prefix] as object), [column.slice(prefix.length + 1)]: value };
    } else if (names.has(column)) record[column] = value;
    else others[column] = value;
  }
  if (kind !== 'prediction' || record.features !== undefined) return record;
  for (const name of ['weight', 'ranking', 'shadow']) {
    if (record[name] === undefined || Array.isArray(record[name])) continue;
    others[name] = record[name];
    delete record[name];
  }
  return { ...record, features: others };
}

const namesByKind = new Map<InputKind, ReadonlySet<string>>();

function fieldNames(kind: InputKind): ReadonlySet<string> {
  const known = namesByKind.get(kind);
  if (known) return known;
  const contract = kind === 'prediction' ? 'Prediction' : 'Feedback';
  const { fields } = contractType(contract) as unknown as { fields: { name: string }[] };
  const names = new Set(fields.flatMap(({ name }) => [name, snakeCase(name)]));
  namesByKind.set(kind, names);
  return names;
}

function withNumbers(record: TableRow): TableRow {
  const { features } = record;
  const changed = { ...record };
  for (const name of numericFields) if (name in changed) changed[name] = asNumber(changed[name]);
  if (typeof features === 'object' && features !== null && !Array.isArray(features)) {
    changed.features = Object.fromEntries(
      Object.entries(features).map(([name, value]) => [name, asNumber(value)]),
    );
  }
  return changed;
}

/** Text with zeros before it, such as 007, is a code and no number. */
function asNumber(value: unknown): unknown {
  return typeof value === 'string' &&
    /^[+-]?(?:0|[1-9]\d*)(?:\.\d*)?(?:e[+-]?\d+)?$/i.test(value) &&
    Number.isFinite(Number(value))
    ? Number(value)
    : value;
}
