import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url).pathname;
const readme = readFileSync(`${root}README.md`, 'utf8');

/** Returns the rows of the tables below a heading of the README, each as its cells. */
function rowsBelow(heading: string): string[][] {
  const [, section = ''] = readme.split(`\n## ${heading}\n`);
  return section
    .split('\n## ')[0]!
    .split('\n')
    .filter(line => line.startsWith('| '))
    .map(line => line.split('|').slice(1, -1))
    .map(cells => cells.map(cell => cell.trim()));
}

const rows = rowsBelow('Map');
const mappedFolders = rows.flatMap(([first]) => /^`(.+)`$/.exec(first!)?.[1] ?? []);
const mappedFiles = rows.flatMap(([, second]) => /^`(.+)`$/.exec(second!)?.[1] ?? []);

/**
 * Returns the folders of services that hold a file of the project, such as `services/x` and
 * `services/x/y`.
 */
function serviceFolders(): string[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'services'], {
    cwd: root,
    encoding: 'utf8',
  });
  const folders = listed
    .split('\n')
    .filter(file => file !== '' && existsSync(root + file))
    .flatMap(file => {
      const parts = file.split('/').slice(0, -1);
      return [2, 3].filter(depth => depth <= parts.length).map(depth => parts.slice(0, depth));
    })
    .map(parts => parts.join('/'));
  return [...new Set(folders)].sort();
}

describe('the map in README.md', () => {
  it('names every folder of the services, two levels deep', () => {
    expect(serviceFolders().length).toBeGreaterThan(20);
    expect(mappedFolders.filter(folder => folder.startsWith('services/')).sort()).toEqual(
      serviceFolders(),
    );
  });

  it('names only folders that exist', () => {
    expect(mappedFolders.filter(folder => !isFolder(folder))).toEqual([]);
  });

  it('answers its questions with files that exist', () => {
    expect(mappedFiles.length).toBeGreaterThan(5);
    expect(mappedFiles.filter(file => !existsSync(root + file))).toEqual([]);
  });
});

function isFolder(path: string): boolean {
  return existsSync(root + path) && statSync(root + path).isDirectory();
}
