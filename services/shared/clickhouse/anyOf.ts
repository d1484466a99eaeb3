export interface Condition {
  sql: string;
  parameters: Record<string, unknown>;
}

/**
 * SQL that holds where it does for any of the items. ClickHouse finds the rows of each by the primary key, which it does not
 * for a join with their bounds.
 *
 * @param conditionOf is given the item and what turns a value into a query parameter of a ClickHouse type
 * @example anyOf(names, ({ model }, value) => `model = ${value('String', model)}`)
 */
export function anyOf<T>(
  items: readonly T[],
  conditionOf: (item: T, value: (type: string, value: unknown) => string) => string,
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
