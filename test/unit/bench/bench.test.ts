import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { Summary } from '../../../bench/harness/summary.ts';

const program = join(import.meta.dirname, '..', '..', '..', 'bench', 'main.ts');

it('measures the core and writes the figures', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-bench-test-'));
  try {
    const json = join(folder, 'figures.json');
    const args = [program, '--quick', '--only', 'core', '--json', json];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const lines: (Summary & { versions: object; command: string })[] = JSON.parse(
      await readFile(json, 'utf8'),
    );
    expect(lines[0]).toEqual({
      name: 'pure core',
      value: expect.any(Number),
      unit: 'cells per CPU second',
      baseline: null,
      ratio: null,
      target: null,
      met: null,
      spread: [expect.any(Number), expect.any(Number)],
      rounds: 1,
      note: null,
      versions: expect.objectContaining({
        node: process.versions.node,
        kafkajs: expect.any(String),
      }),
      command: `npm run bench -- --quick --only core --json ${json}`,
    });
    expect(lines[0]!.value).toBeGreaterThan(0);
    for (const { name } of lines) expect(stdout).toContain(name);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
