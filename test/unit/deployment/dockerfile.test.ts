import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allocation } from '../../../infra/local/processes/serviceProcesses.ts';
import { serviceFlow } from '../../../services/shared/kafka/serviceFlow.ts';

const root = new URL('../../../', import.meta.url);
const dockerfile = readFileSync(new URL('infra/images/Dockerfile', root), 'utf8');
const ignore = readFileSync(new URL('.dockerignore', root), 'utf8').split('\n');
const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(match =>
  match[1]!.split(' '),
);
const removed = [...dockerfile.matchAll(/ node_modules\/(\S+)/g)].map(match => match[1]!);
const entries = [...serviceFlow.map(({ name }) => `services/${name}/main.ts`), 'bin/driftloop.ts'];

/** Returns the files and packages that are loaded when a program starts. */
function loadedFrom(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string) => {
    if (files.has(path)) return;
    files.add(path);
    const text = readFileSync(new URL(path, root), 'utf8');
    for (const [, imported, alone] of text.matchAll(
      /^(?:import|export) (?!type)[^;]*?from '([^']+)'|^import '([^']+)'/gm,
    )) {
      const specifier = imported ?? alone!;
      if (specifier.startsWith('node:')) continue;
      if (!specifier.startsWith('.')) packages.add(specifier);
      else visit(new URL(specifier, new URL(path, root)).pathname.slice(root.pathname.length));
    }
  };
  visit(entry);
  return { files, packages };
}

describe('infra/images/Dockerfile', () => {
  it('sets the memory allocation of the services as the local stack does', () => {
    const settings = Object.entries(allocation).map(([name, value]) => `${name}=${value}`);
    expect(dockerfile).toContain(`ENV ${settings.join(' ')}\n`);
    expect(readFileSync(new URL('docs/operators.md', root), 'utf8')).toContain(
      `\`${settings.join(' ')}\``,
    );
  });

  it('copies folders that exist and that .dockerignore lets through', () => {
    expect(copied).toEqual(
      expect.arrayContaining(['package.json', 'package-lock.json', 'schemas', 'services']),
    );
    for (const path of copied) {
      expect(existsSync(new URL(path, root)), path).toBe(true);
      expect(ignore, path).toContain(`!${path}`);
    }
  });

  it.each(entries)('has every file and package that %s loads', entry => {
    const { files, packages } = loadedFrom(entry);
    expect(files.size).toBeGreaterThan(5);
    for (const file of files) expect(copied, file).toContain(file.split('/')[0]);
    const dependencies = JSON.parse(
      readFileSync(new URL('package.json', root), 'utf8'),
    ).dependencies;
    for (const name of packages) {
      const bare = name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/');
      expect(Object.keys(dependencies), name).toContain(bare);
      expect(removed, name).not.toContain(bare);
    }
  });

  it('keeps files of the runtime of ONNX models that exist', () => {
    const kept = [...dockerfile.matchAll(/ ! -name (\S+)/g)].map(match => match[1]!);
    expect(kept).toHaveLength(3);
    for (const file of kept)
      expect(existsSync(new URL(`node_modules/onnxruntime-web/dist/${file}`, root)), file).toBe(
        true,
      );
  });

  it('runs the pinned Node version of the project, and nothing as root', () => {
    const images = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(match => match[1]!);
    const installed = JSON.parse(
      readFileSync(new URL('node_modules/node/package.json', root), 'utf8'),
    ).version;
    expect(new Set(images)).toEqual(
      new Set([expect.stringMatching(/^node:\d+\.\d+\.\d+-bookworm-slim$/)]),
    );
    expect(images[0]!.split(/[:.]/)[1]).toBe(installed.split('.')[0]);
    expect(dockerfile.match(/^USER (.+)$/gm)).toEqual(['USER node']);
    expect(dockerfile.indexOf('USER node')).toBeLessThan(dockerfile.indexOf('\nCMD'));
  });
});

describe('infra/images/Dockerfile.python', () => {
  const python = readFileSync(new URL('infra/images/Dockerfile.python', root), 'utf8');

  it('is built on the image of the services, and runs nothing as root', () => {
    const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
    expect(python.match(/^FROM (.+)$/gm)).toEqual([`FROM driftloop:${version}`]);
    expect(python.match(/^USER (.+)$/gm)).toEqual(['USER root', 'USER node']);
    expect(python.trimEnd().endsWith('USER node')).toBe(true);
  });

  it('copies files of the sample that exist and that .dockerignore lets through', () => {
    const files = [...python.matchAll(/^COPY (\S+) \S+$/gm)].map(match => match[1]!);
    expect(files).toEqual(['examples/sklearn/requirements.txt', 'examples/sklearn/train.py']);
    for (const file of files) expect(existsSync(new URL(file, root)), file).toBe(true);
    expect(ignore).toContain('!examples/sklearn');
  });
});
