import type { InputKind, InputMapping } from '../../services/shared/config/inputs.ts';
import { mapContent } from '../../services/shared/records/mapContent.ts';
import { parseJsonKeepingDigits } from '../../services/shared/records/parseJson.ts';
import { readCsv } from './readCsv.ts';
import { readLines } from './readLines.ts';
import { readParquet } from './readParquet.ts';
import { recordOfRow } from './recordOfRow.ts';

/**
 * Reads the records of a file as lines of JSON, several at a time. The ending of its name tells
 * the format: `.csv` (also `.csv.gz`), `.parquet`, and JSON Lines for every other.
 * @param mapping where the fields are in records of another form; null for records of the contract
 * @throws UserError if the file cannot be read
 */
export async function* readRecords(
  path: string,
  kind: InputKind,
  mapping: InputMapping | null,
): AsyncGenerator<Buffer[]> {
  if (/\.csv(\.gz)?$/i.test(path) || /\.parquet$/i.test(path)) {
    const rows = /\.parquet$/i.test(path) ? readParquet(path) : readCsv(path);
    for await (const some of rows)
      yield some.flatMap(row => recordOfRow(row, kind, mapping).map(toLine));
  } else if (mapping === null) {
    yield* readLines(path);
  } else {
    for await (const lines of readLines(path)) yield lines.flatMap(line => mapped(line, mapping));
  }
}

/** Returns the records of a line. One that cannot be mapped is sent as it is, and refused then. */
function mapped(line: Buffer, mapping: InputMapping): Buffer[] {
  try {
    return mapContent(parseJsonKeepingDigits(line.toString('utf8')), mapping).map(toLine);
  } catch {
    return [line];
  }
}

function toLine(content: unknown): Buffer {
  const text = JSON.stringify(content, (_, part) => {
    if (typeof part !== 'bigint') return part;
    return Number.isSafeInteger(Number(part)) ? Number(part) : String(part);
  });
  return Buffer.from(text);
}
