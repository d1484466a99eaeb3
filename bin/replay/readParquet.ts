import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { UserError } from '../../services/shared/userError.ts';
import { readError } from './readLines.ts';
import type { TableRow } from './recordOfRow.ts';

const rowsAtATime = 5_000;

/**
 * Reads the rows of a Parquet file, several at a time.
 * @throws UserError if the file cannot be read
 */
export async function* readParquet(path: string): AsyncGenerator<TableRow[]> {
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    const rows = Number(metadata.num_rows);
    for (let rowStart = 0; rowStart < rows; rowStart += rowsAtATime) {
      const rowEnd = Math.min(rows, rowStart + rowsAtATime);
      const some = await parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors });
      yield some.map(row => plain(row) as TableRow);
    }
  } catch (error) {
    const known = readError(path, 0, error);
    throw known instanceof UserError
      ? known
      : new UserError(`${path}: cannot be read as Parquet: ${(error as Error).message}`, {
          cause: error,
        });
  }
}

/** Returns a value as JSON has it. */
function plain(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array, part => plain(part));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
}
