#!/usr/bin/env node
// Plain JavaScript, so that it runs under Node 20 and on a fresh clone, where it first installs
// the packages.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('driftloop.ts', import.meta.url));
const nodeOfProject = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);

if (!existsSync(new URL('../node_modules', import.meta.url))) {
  const setup = fileURLToPath(new URL('../infra/local/setup.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [setup], {
    stdio: ['ignore', process.stderr.fd, process.stderr.fd],
  });
  if (status !== 0) process.exit(1);
}
if (major > 22 || (major === 22 && minor >= 18)) {
  await import('./driftloop.ts');
} else {
  // This Node cannot run TypeScript, but the one among the packages can.
  const child = spawn(nodeOfProject, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', code => process.exit(code ?? 1));
}
