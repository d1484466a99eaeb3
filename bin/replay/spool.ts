import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { type Disorder, LineIndex } from './lineIndex.ts';
import type { ReplayLine } from './replayLine.ts';

const headerBytes = 8;
const noKey = 0xffff_ffff;
const writeBytes = 1024 * 1024;
const maxLinesPerBatch = 1_000;
const maxBytesPerBatch = 256 * 1024;

/**
 * The lines of a file on disk, so that their number and their order of time are known before the
 * first one is sent. It needs 16 bytes of memory per line.
 *
 * Invariant: after `write` the index has every line of the temporary file, in its order.
 */
export class Spool {
  readonly #file: number;
  readonly #index = new LineIndex();
  #bytes = 0;

  /** @param path temporary file, which the caller removes */
  constructor(path: string) {
    this.#file = openSync(path, 'w+');
  }

  get lines(): number {
    return this.#index.lines;
  }

  get disorder(): Disorder | null {
    return this.#index.disorder;
  }

  /** Takes all lines. @param onLines called now and then with their number so far */
  async write(lines: AsyncIterable<ReplayLine[]>, onLines: (count: number) => void): Promise<void> {
    let waiting: Buffer[] = [];
    let waitingBytes = 0;
    const flush = () => {
      writeSync(this.#file, Buffer.concat(waiting));
      waiting = [];
      waitingBytes = 0;
    };
    for await (const some of lines) {
      for (const line of some) {
        const bytes = encoded(line);
        this.#index.add(line.timeMs, this.#bytes);
        this.#bytes += bytes.length;
        waiting.push(bytes);
        waitingBytes += bytes.length;
        if (waitingBytes >= writeBytes) flush();
      }
      onLines(this.lines);
    }
    flush();
  }

  /** Yields the lines in the order of the file or in the order of time, several at a time. */
  async *read(order: 'of file' | 'of time'): AsyncGenerator<ReplayLine[]> {
    const sorted = order === 'of time' ? this.#index.inOrderOfTime() : null;
    const lineAt = (rank: number) => (sorted ? sorted[rank]! : rank);
    let batch: ReplayLine[] = [];
    let batchBytes = 0;
    for (let rank = 0; rank < this.lines; ) {
      const first = lineAt(rank);
      let next = first;
      // Lines that follow each other in the file are read at once.
      do {
        batchBytes += this.#endOf(next) - this.#index.place(next);
        next++;
        rank++;
      } while (
        rank < this.lines &&
        lineAt(rank) === next &&
        batch.length + next - first < maxLinesPerBatch &&
        batchBytes < maxBytesPerBatch
      );
      batch.push(...this.#readRun(first, next));
      if (batch.length < maxLinesPerBatch && batchBytes < maxBytesPerBatch) continue;
      yield batch;
      batch = [];
      batchBytes = 0;
    }
    if (batch.length > 0) yield batch;
  }

  close(): void {
    closeSync(this.#file);
  }

  #endOf(line: number): number {
    return line + 1 < this.lines ? this.#index.place(line + 1) : this.#bytes;
  }

  /** Reads lines that follow each other in the file: from `first` to before `next`. */
  #readRun(first: number, next: number): ReplayLine[] {
    const start = this.#index.place(first);
    const bytes = Buffer.alloc(this.#endOf(next - 1) - start);
    readSync(this.#file, bytes, 0, bytes.length, start);
    return Array.from({ length: next - first }, (_, run) => {
      const line = first + run;
      const part = bytes.subarray(this.#index.place(line) - start, this.#endOf(line) - start);
      return { ...decoded(part), timeMs: this.#index.timeMs(line) };
    });
  }
}

/** A line as the length of its key, the length of its value, key and value. */
function encoded({ key, value }: ReplayLine): Buffer {
  const keyBytes = Buffer.from(key ?? '');
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32BE(key === null ? noKey : keyBytes.length, 0);
  header.writeUInt32BE(value.length, 4);
  return Buffer.concat([header, keyBytes, value]);
}

function decoded(bytes: Buffer): Pick<ReplayLine, 'key' | 'value'> {
  const keyBytes = bytes.readUInt32BE(0);
  const valueStart = bytes.length - bytes.readUInt32BE(4);
  const key = keyBytes === noKey ? null : bytes.toString('utf8', headerBytes, valueStart);
  return { key, value: bytes.subarray(valueStart) };
}
