/** What may hide a semicolon: strings, quoted names, comments. */
const opaque =
  /'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*"|--[^\n]*|\/\*[\s\S]*?\*\//g;

/**
 * Number of SQL statements in a text. A ClickHouse server takes one per request, while the embedded engine would run them all,
 * so that a mistake showed only against a server.
 * @example statementCount("SELECT ';'; -- a; b") === 1
 */
export function statementCount(sql: string): number {
  return sql
    .replace(opaque, match => (match.startsWith('--') || match.startsWith('/*') ? ' ' : '?'))
    .split(';')
    .filter(statement => statement.trim() !== '').length;
}
