import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maxLineBytes, readLines } from '../../../bin/replay/readLines.ts';
import { UserError } from '../../../services/shared/userError.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'driftloop-lines-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function linesOf(path: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const block of readLines(path))
    lines.push(...block.map(line => line.toString('latin1')));
  return lines;
}

describe('readLines', () => {
  it('yields the bytes of each line, also of a last line without line feed, and leaves out blank lines', async () => {
    expect(await linesOf(fileWith('plain.jsonl', '{"a":1}\n\n{"b":2}\r\n \t\r\nlast'))).toEqual([
      '{"a":1}',
      '{"b":2}\r',
      'last',
    ]);
  });

  it('yields nothing for an empty file', async () => {
    expect(await linesOf(fileWith('empty.jsonl', ''))).toEqual([]);
    expect(await linesOf(fileWith('empty.jsonl.gz', gzipSync('')))).toEqual([]);
  });

  it('recognises gzip by the content, not by the name', async () => {
    expect(await linesOf(fileWith('named-plain.jsonl', gzipSync('one\ntwo\n')))).toEqual([
      'one',
      'two',
    ]);
    expect(await linesOf(fileWith('named-gzip.jsonl.gz', 'one\ntwo\n'))).toEqual(['one', 'two']);
  });

  it('reads concatenated gzip members as one file', async () => {
    expect(
      await linesOf(fileWith('members.gz', Buffer.concat([gzipSync('one\nt'), gzipSync('wo\n')]))),
    ).toEqual(['one', 'two']);
  });

  it('drops a byte order mark, and keeps bytes that are not UTF-8', async () => {
    const content = Buffer.concat([
      Buffer.from([0xef, 0xbb, 0xbf]),
      Buffer.from('{}\n'),
      Buffer.from([0xff, 0x00, 0x0a]),
    ]);
    expect(await linesOf(fileWith('bytes.jsonl', content))).toEqual(['{}', '\xff\x00']);
  });

  it('joins lines that are spread over many blocks', async () => {
    const long = 'x'.repeat(1_000_000);
    expect(await linesOf(fileWith('long.jsonl', `a\n${long}\nb\n`))).toEqual(['a', long, 'b']);
    expect(await linesOf(fileWith('long.gz', gzipSync(`a\n${long}\nb\n`)))).toEqual([
      'a',
      long,
      'b',
    ]);
  });

  it('says in one line what is wrong with a file', async () => {
    const cutOff = gzipSync(`${'{"id":"some text"}\n'.repeat(5000)}`).subarray(0, -20);
    const tooLong = Buffer.alloc(maxLineBytes + 300_000, 'x');
    for (const [path, message] of [
      [join(folder, 'absent.jsonl'), /absent.jsonl: there is no such file$/],
      [folder, /: is a folder, expected a file$/],
      [fileWith('cut.gz', cutOff), /cut.gz: the gzip data is damaged or cut off after line \d+$/],
      [fileWith('too-long.jsonl', tooLong), /too-long.jsonl:1: the line is longer than 32 MB$/],
    ] as const) {
      const error = await linesOf(path).catch(thrown => thrown);
      expect(error).toBeInstanceOf(UserError);
      expect(error.message).toMatch(message);
    }
  });
});
