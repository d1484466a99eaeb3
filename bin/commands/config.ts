import type { Command } from 'commander';
import { stringify } from 'yaml';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import { effectiveSettings } from './effectiveSettings.ts';

export function addConfigCommand(program: Command): void {
  program
    .command('config')
    .description('The file of settings.')
    .command('check')
    .argument('[file]', 'YAML file; without one, that of DRIFTLOOP_CONFIG, or the defaults')
    .description('List every mistake of a file of settings, or print what it amounts to.')
    .addHelpText(
      'after',
      `
Prints a complete file: the settings of a model that is not named, and of every model that is.
Old names of settings that the file uses are listed as warnings, on standard error.
Exit code 1 with one line per mistake (file:line: setting: what was expected).

Examples:
  driftloop config check                 all settings and their defaults
  driftloop config check driftloop.yaml`,
    )
    .action(runConfigCheck);
}

function runConfigCheck(file: string | undefined): void {
  const settings = readSettings(file ?? readEnvironment().DRIFTLOOP_CONFIG);
  for (const warning of settings.warnings) process.stderr.write(`${warning}\n`);
  process.stdout.write(stringify(effectiveSettings(settings), { aliasDuplicateObjects: false }));
}
