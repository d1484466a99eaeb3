/** SQL for a WHERE clause, and the query parameters that it names. */
export interface Condition {
  sql: string;
  parameters: Record<string, unknown>;
}

/** Makes a query parameter of a value, and returns its placeholder in SQL. */
export type ParameterOf = (clickhouseType: string, value: unknown) => string;

/**
 * Returns the condition that one of the items meets its own condition. ClickHouse finds the rows of
 * each item by the primary key, which it does not for a join with a list of bounds. For versions
 * without bounds `inVersions` is shorter.
 *
 * @example anyOf(names, ({ model }, parameterOf) => `model = ${parameterOf('String', model)}`)
 */
export function anyOf<T>(
  items: readonly T[],
  conditionOf: (item: T, parameterOf: ParameterOf) => string,
): Condition {
  const parameters: Record<string, unknown> = {};
  let used = 0;
  const parameterOf = (type: string, value: unknown): string => {
    const name = `p${used++}`;
    parameters[name] = value;
    return `{${name}:${type}}`;
  };
  const conditions = items.map(item => `(${conditionOf(item, parameterOf)})`);
  return { sql: conditions.length === 0 ? 'false' : `(${conditions.join(' OR ')})`, parameters };
}
