import { quoteText } from './clickhouseRequest.ts';

/** An INSERT that is followed by its rows in some format. */
export interface InsertStatement {
  /** `INSERT INTO table (columns)` */
  head: string;
  /** `SETTINGS …`, or empty. */
  settings: string;
  format: string;
  /** Position at which the rows start. */
  dataStart: number;
}

const name = '(?:`[^`]+`|"[^"]+"|\\{\\w+\\s*:\\s*Identifier\\}|[\\w$]+)';
const columns = '\\((?:[^()]|\\([^()]*\\))*\\)';
const pattern = new RegExp(
  `^\\s*(INSERT\\s+INTO\\s+(?:TABLE\\s+)?${name}(?:\\.${name})?\\s*(?:${columns})?)\\s*(SETTINGS\\s[^;]*?\\s)?\\s*FORMAT\\s+(\\w+)[ \\t]*;?[ \\t]*(?:\\r?\\n|$)`,
  'i',
);

/**
 * Recognises an INSERT that is followed by rows in a format, such as
 * `INSERT INTO t (a, b) FORMAT JSONEachRow`.
 * @returns null for every other statement, such as INSERT … SELECT and INSERT … VALUES
 */
export function parseInsertStatement(query: string): InsertStatement | null {
  const match = pattern.exec(query);
  if (!match || match[3]!.toUpperCase() === 'VALUES') return null;
  return {
    head: match[1]!.trim(),
    settings: match[2]?.trim() ?? '',
    format: match[3]!,
    dataStart: match[0].length,
  };
}

/**
 * Returns the same INSERT with its rows in a file. From there the engine reads every format, binary
 * ones too, several times faster than from the query. In a query it would also take a line that
 * ends with a semicolon for the end of the rows.
 */
export function insertFromFile({ head, settings, format }: InsertStatement, file: string): string {
  return `${head} FROM INFILE ${quoteText(file)} COMPRESSION 'none' ${settings} FORMAT ${format}`;
}
