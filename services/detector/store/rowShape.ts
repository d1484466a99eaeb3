import { clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import { msOf } from './sqlTime.ts';

/** How one field of a contract is kept in a table. */
interface Column<Value> {
  name: string;
  /** Turns the SQL of the column into SQL that reads the value. */
  read(column: string): string;
  /** Turns the value into what is inserted. */
  write(value: Value): unknown;
}

/** The columns of a contract's fields, declared once for reading and for writing. */
export type RowShape<Contract> = { [Field in keyof Contract]: Column<Contract[Field]> };

/** A column that holds the value as it is. */
export function plain<Value>(name: string): Column<Value> {
  return { name, read: column => column, write: value => value };
}

/** An enum of ClickHouse that holds a text. */
export function enumeration<Value extends string>(name: string): Column<Value> {
  return { name, read: column => `toString(${column})`, write: value => value };
}

/** A DateTime64 that holds ms since the epoch. */
export function time(name: string): Column<number> {
  return { name, read: msOf, write: clickhouseTime };
}

/** A DateTime64 that holds ms since the epoch, or nothing. */
export function nullableTime(name: string): Column<number | null> {
  return { name, read: msOf, write: ms => (ms === null ? null : clickhouseTime(ms)) };
}

/** Returns what a SELECT lists to get rows with the fields of the contract. */
export function selection<Contract>(table: string, shape: RowShape<Contract>): string {
  return columnsOf(shape)
    .map(([field, { name, read }]) => `${read(`${table}.${name}`)} AS ${field}`)
    .join(', ');
}

/** Returns the row to insert for a value of the contract. */
export function toRow<Contract extends object>(
  shape: RowShape<Contract>,
  value: Contract,
): Record<string, unknown> {
  return Object.fromEntries(
    columnsOf(shape).map(([field, { name, write }]) => [name, write(value[field])]),
  );
}

function columnsOf<Contract>(shape: RowShape<Contract>) {
  return Object.entries(shape) as [
    keyof Contract & string,
    Column<Contract[keyof Contract & string]>,
  ][];
}
