import { readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const { version, license } = JSON.parse(read('package.json'));

describe('the version of package.json', () => {
  it('is that of the lock file', () => {
    const lock = JSON.parse(read('package-lock.json'));
    expect([lock.version, lock.packages[''].version]).toEqual([version, version]);
  });

  it.each(['docker-compose.yml', 'infra/images/Dockerfile'])('is that of the image in %s', file => {
    const tags = Array.from(read(file).matchAll(/\bdriftloop:(\d\S*)/g), ([, tag]) => tag);
    expect(tags).toEqual([version]);
  });

  it('is the newest one in CHANGELOG.md', () => {
    const [, newest] = /^## \[(.+?)\]/m.exec(read('CHANGELOG.md'))!;
    expect(newest).toBe(version);
  });

  it('is supported by SECURITY.md', () => {
    expect(read('SECURITY.md')).toMatch(
      new RegExp(`^\\| ${version.split('.').slice(0, 2).join('\\.')} +\\| yes`, 'm'),
    );
  });
});

it('LICENSE has the text of the license that package.json names', () => {
  expect(license).toBe('Apache-2.0');
  const text = read('LICENSE');
  expect(text).toMatch(/^ +Apache License\n +Version 2\.0, January 2004\n/);
  expect(text).toContain('END OF TERMS AND CONDITIONS');
  expect(text).toContain('Copyright 2026 The Driftloop authors');
});

describe('.github/workflows/ci.yml', () => {
  interface Step {
    uses?: string;
    run?: string;
    with?: Record<string, unknown>;
  }
  const { jobs } = parse(read('.github/workflows/ci.yml')) as {
    jobs: Record<string, { steps: Step[] }>;
  };
  const steps = Object.values(jobs).flatMap(job => job.steps);
  const uses = (action: string) => steps.find(step => step.uses?.startsWith(`${action}@`))?.with;

  it('runs the same checks as everybody else, and nothing more', () => {
    expect(steps.flatMap(({ run }) => run ?? [])).toEqual(['.ci/run']);
    expect(statSync(new URL('.ci/run', root)).mode & 0o111).not.toBe(0);
  });

  it('provides what the set-up asks for', () => {
    const setup = read('infra/local/setup.mjs');
    const [, minJavaVersion] = /minJavaVersion = (\d+)/.exec(setup)!;
    expect(Number(uses('actions/setup-java')?.['java-version'])).toBeGreaterThanOrEqual(
      Number(minJavaVersion),
    );
    const { dependencies } = JSON.parse(read('package.json'));
    expect(String(uses('actions/setup-node')?.['node-version'])).toBe(dependencies.node);
  });
});
