/** Strings, quoted names and comments, which may contain semicolons. */
const opaque =
  /'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*"|--[^\n]*|\/\*[\s\S]*?\*\//g;

/**
 * Counts the SQL statements in a text. A ClickHouse server takes one per request. The embedded
 * engine would run all of them, so that a mistake would show only against a server.
 * @example statementCount("SELECT ';'; -- a; b") === 1
 */
export function statementCount(sql: string): number {
  return sql
    .replace(opaque, match => (match.startsWith('--') || match.startsWith('/*') ? ' ' : '?'))
    .split(';')
    .filter(statement => statement.trim() !== '').length;
}
