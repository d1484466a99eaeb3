import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UserError } from '../../services/shared/userError.ts';

const newline = 0x0a;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);
const gzipMagic = Buffer.from([0x1f, 0x8b]);
const readBytes = 256 * 1024;
/**
 * Far more than a service accepts, so that a line that is too long for it becomes a dead letter.
 */
export const maxLineBytes = 32 * 1024 * 1024;

/**
 * Reads the lines of a file as bytes, several at a time, without line feeds and blank lines. Gzip
 * is recognised by the content, and pipes can be read too. It needs memory for one block of the
 * file and for the longest line.
 * @throws UserError if the file cannot be read, its gzip is damaged, or a line is too long
 */
export async function* readLines(path: string): AsyncGenerator<Buffer[]> {
  let started: Buffer[] = [];
  let startedBytes = 0;
  let lineNumber = 1;
  let atStart = true;
  try {
    for await (const block of contentOf(path)) {
      const lines: Buffer[] = [];
      let position = atStart && startsWith(block, byteOrderMark) ? byteOrderMark.length : 0;
      atStart = false;
      for (
        let end = block.indexOf(newline, position);
        end !== -1;
        end = block.indexOf(newline, position)
      ) {
        const rest = block.subarray(position, end);
        const line = started.length === 0 ? rest : Buffer.concat([...started, rest]);
        if (!isBlank(line)) lines.push(line);
        position = end + 1;
        started = [];
        startedBytes = 0;
        lineNumber++;
      }
      if (position < block.length) {
        started.push(block.subarray(position));
        startedBytes += block.length - position;
      }
      if (startedBytes > maxLineBytes) {
        throw new UserError(
          `${path}:${lineNumber}: the line is longer than ${maxLineBytes / 1024 ** 2} MB`,
        );
      }
      if (lines.length > 0) yield lines;
    }
  } catch (error) {
    throw readError(path, lineNumber, error);
  }
  const last = Buffer.concat(started);
  if (!isBlank(last)) yield [last];
}

/** Reads the content of a file, unzipped. */
export async function* contentOf(path: string): AsyncGenerator<Buffer> {
  const blocks = createReadStream(path, { highWaterMark: readBytes })[Symbol.asyncIterator]();
  const first = await blocks.next();
  if (first.done) return;
  const whole = startingWith(first.value, blocks);
  if (!startsWith(first.value, gzipMagic)) yield* whole;
  // The last part of a pipeline, which is read here, throws the errors of all its parts.
  else yield* pipeline(Readable.from(whole), createGunzip({ chunkSize: readBytes }), () => {});
}

async function* startingWith(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* { [Symbol.asyncIterator]: () => rest };
}

function startsWith(block: Buffer, bytes: Buffer): boolean {
  return block.subarray(0, bytes.length).equals(bytes);
}

function isBlank(line: Buffer): boolean {
  return line.every(byte => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

/** Returns an error in reading a file as a person understands it, where that is known. */
export function readError(path: string, lineNumber: number, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'Z_DATA_ERROR' || code === 'Z_BUF_ERROR') {
    return new UserError(
      `${path}: the gzip data is damaged or cut off after line ${lineNumber - 1}`,
      { cause: error },
    );
  }
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file',
    EACCES: 'you have no permission to read it',
    EISDIR: 'is a folder, expected a file',
  };
  return code && reasons[code]
    ? new UserError(`${path}: ${reasons[code]}`, { cause: error })
    : error;
}
