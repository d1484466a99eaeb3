import { readFileSync } from 'node:fs';

const measured = ['kafkajs', 'avsc', 'chdb', '@clickhouse/client'];

/** Returns the versions that the figures depend on. */
export function versions(): Record<string, string> {
  const project = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return {
    driftloop: project.version,
    node: process.versions.node,
    ...Object.fromEntries(measured.map(name => [name, project.dependencies[name]])),
  };
}
