import { pipeline, Readable } from 'node:stream';
import { CsvError, type Info, parse } from 'csv-parse';
import { UserError } from '../../services/shared/userError.ts';
import { contentOf, maxLineBytes, readError } from './readLines.ts';
import type { TableRow } from './recordOfRow.ts';

const rowsAtATime = 1_000;
const delimiters = [',', ';', '\t', '|'];

/**
 * Reads the rows of a CSV file, several at a time. The first line names the columns, and its most
 * frequent separator is that of the file. Empty values are missing. A row with more or fewer
 * values than columns has none of them, so that it is refused and counted.
 * @throws UserError if the file cannot be read
 */
export async function* readCsv(path: string): AsyncGenerator<TableRow[]> {
  let rows: TableRow[] = [];
  let lineNumber = 1;
  try {
    for await (const { record, info } of parsed(path)) {
      lineNumber = info.lines;
      rows.push(info.error ? { line: info.lines, mistake: info.error.message } : missing(record));
      if (rows.length < rowsAtATime) continue;
      yield rows;
      rows = [];
    }
  } catch (error) {
    if (error instanceof CsvError) throw new UserError(`${path}: ${error.message}`);
    throw readError(path, lineNumber, error);
  }
  if (rows.length > 0) yield rows;
}

interface ParsedRow {
  record: TableRow;
  info: Info & { error?: Error };
}

async function* parsed(path: string): AsyncGenerator<ParsedRow> {
  const blocks = contentOf(path);
  const first = await blocks.next();
  if (first.done) return;
  const parser = parse({
    bom: true,
    columns: true,
    delimiter: delimiterOf(first.value),
    info: true,
    max_record_size: maxLineBytes,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  });
  // The last part of a pipeline, which is read here, throws the errors of all its parts.
  yield* pipeline(Readable.from(startingWith(first.value, blocks)), parser, () => {});
}

async function* startingWith(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

function delimiterOf(block: Buffer): string {
  const [header] = block.toString('utf8').split('\n', 1);
  const counts = delimiters.map(delimiter => header!.split(delimiter).length);
  return delimiters[counts.indexOf(Math.max(...counts))]!;
}

function missing(record: TableRow): TableRow {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, value === '' ? null : value]),
  );
}
