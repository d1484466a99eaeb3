import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { brokenRules, importsOf, requestsOutsideStores } from './imports.ts';

const root = new URL('../../../', import.meta.url).pathname;
const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts'], {
  cwd: root,
  encoding: 'utf8',
});
const deleted = execFileSync('git', ['ls-files', '-d'], { cwd: root, encoding: 'utf8' }).split(
  '\n',
);
const files = listed
  .split('\n')
  .filter(file => file !== '' && !file.startsWith('test/') && !deleted.includes(file));
const sources = new Map(files.map(file => [file, readFileSync(root + file, 'utf8')]));
const imports = [...sources].flatMap(([file, source]) => importsOf(file, source));

describe('imports', () => {
  it('only go down the staircase of folders, and only reach packages where these are allowed', () => {
    expect(imports.length).toBeGreaterThan(1000);
    expect(brokenRules(imports)).toEqual([]);
  });

  it('form no cycle of folders', () => {
    const folders = new Map<string, Set<string>>();
    const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/'));
    for (const { file, imported } of imports) {
      if (
        !imported.includes('/') ||
        !imported.endsWith('.ts') ||
        folderOf(file) === folderOf(imported)
      )
        continue;
      folders.set(
        folderOf(file),
        (folders.get(folderOf(file)) ?? new Set()).add(folderOf(imported)),
      );
    }
    expect(cycleIn(folders)).toBeNull();
  });
});

describe('ClickHouse', () => {
  it('receives requests from stores only', () => {
    expect([...sources].flatMap(([file, source]) => requestsOutsideStores(file, source))).toEqual(
      [],
    );
  });

  it.each([
    ['services/shared/service/deadLetterSink.ts', "await clickhouse.insert('dead_letters', rows);"],
    ['services/detector/detectorHandler.ts', "context.clickhouse.select<Row>('SELECT 1')"],
    [
      'services/evaluator/estimates/restore.ts',
      'await this.#clickhouse.selectEach(query, {}, take)',
    ],
    ['services/retrainer/run/snapshot.ts', 'return clickhouse\n  .export(query)'],
  ])('may not receive a request from %s', (file, source) => {
    expect(requestsOutsideStores(file, source)).toEqual([expect.stringContaining(file)]);
  });

  it.each([
    ['services/profiler/store.ts', "clickhouse.insertBlock('predictions', rows)"],
    ['services/detector/store/ledgers.ts', "clickhouse.insert('fold_ledgers', rows)"],
    ['services/shared/service/positionStore.ts', "this.#clickhouse.command('OPTIMIZE')"],
    ['services/detector/detectorHandler.ts', 'await clickhouse.close()'],
    ['bin/commands/deadLetters.ts', 'clickhouse.select(query)'],
  ])('may be used in this way by %s', (file, source) => {
    expect(requestsOutsideStores(file, source)).toEqual([]);
  });
});

describe('a planted import', () => {
  it.each([
    [
      'services/detector/blocks/block.ts',
      "import type { Regime } from '../reference/reference.ts';",
      'is a higher step',
    ],
    [
      'services/detector/fold/detector.ts',
      "import { a } from '../detectorHandler.ts';",
      'is a higher step',
    ],
    [
      'services/shared/userError.ts',
      "export { a } from './config/settings.ts';",
      'is a higher step',
    ],
    [
      'services/shared/config/settings.ts',
      "import '../../detector/fold/detector.ts';",
      'of another service',
    ],
    [
      'services/profiler/profiler.ts',
      "const a = await import('../evaluator/main.ts');",
      'of another service',
    ],
    [
      'services/detector/newIdea/idea.ts',
      "import { a } from '../blocks/block.ts';",
      'has no place',
    ],
    [
      'infra/kafka/topics.ts',
      "import {\n  a,\n} from '../../bin/driftloop.ts';",
      'is a higher step',
    ],
    [
      'services/detector/store/store.ts',
      "import kafkajs from 'kafkajs';",
      'is reserved to services/shared/kafka',
    ],
  ])('of %s is refused: %s', (file, source, reason) => {
    const broken = brokenRules(importsOf(file, source));
    expect(broken).toEqual([expect.stringContaining(reason)]);
  });

  it('is allowed if it goes down', () => {
    const source =
      "import { a } from '../blocks/block.ts';\nimport { b } from '../../shared/userError.ts';";
    expect(brokenRules(importsOf('services/detector/fold/detector.ts', source))).toEqual([]);
  });
});

/** Returns the folders of one cycle, or null if there is none. */
function cycleIn(folders: ReadonlyMap<string, ReadonlySet<string>>): string[] | null {
  const done = new Set<string>();
  const visit = (folder: string, path: readonly string[]): string[] | null => {
    if (path.includes(folder)) return [...path.slice(path.indexOf(folder)), folder];
    if (done.has(folder)) return null;
    for (const next of folders.get(folder) ?? []) {
      const circle = visit(next, [...path, folder]);
      if (circle) return circle;
    }
    done.add(folder);
    return null;
  };
  for (const folder of folders.keys()) {
    const circle = visit(folder, []);
    if (circle) return circle;
  }
  return null;
}
