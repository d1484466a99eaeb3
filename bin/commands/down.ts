import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { stopLoop } from '../up/stopLoop.ts';
import { defaultDir, logFileOf } from '../up/upOptions.ts';

export function addDownCommand(program: Command): void {
  program
    .command('down')
    .description('Stop what "driftloop up" or "npm start" has started. The data stay.')
    .option('--dir <folder>', 'the folder that it was started with', defaultDir)
    .addHelpText(
      'after',
      `
Examples:
  driftloop down
  driftloop down --dir .driftloop/demo     the demo of "npm start"`,
    )
    .action(runDown);
}

async function runDown(options: { dir: string }): Promise<void> {
  const dir = resolve(options.dir);
  const result = await stopLoop(dir);
  if (result.outcome === 'nothing runs') {
    const log = logFileOf(dir);
    console.log(
      `Nothing runs with its data in ${dir}.${existsSync(log) ? ` Log of the last start: ${log}` : ''}`,
    );
    return;
  }
  const { starter, startedAt, parts } = result.record;
  const names = parts.map(({ name }) => name).join(', ') || 'the servers';
  if (result.outcome === 'stopped') console.log(`Stopped ${names}. The data stay in ${dir}.`);
  else
    console.log(
      `Nothing runs: the run of ${startedAt} was cut off (process ${starter.pid} is gone). The data stay in ${dir}.`,
    );
}
