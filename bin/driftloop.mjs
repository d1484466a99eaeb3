#!/usr/bin/env node
// Plain JavaScript, so that it says something useful under any Node and before `npm install`.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('driftloop.ts', import.meta.url));
const nodeOfProject = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);

if (!existsSync(nodeOfProject)) {
  console.error('driftloop: its dependencies are not installed: run `npm install` in its folder');
  process.exitCode = 1;
} else if (major > 22 || (major === 22 && minor >= 18)) {
  await import('./driftloop.ts');
} else {
  // Older versions cannot run TypeScript.
  const child = spawn(nodeOfProject, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', code => process.exit(code ?? 1));
}
