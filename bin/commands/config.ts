import type { Command } from 'commander';
import { stringify } from 'yaml';
import { missingSecrets } from '../../services/retrainer/external/missingSecrets.ts';
import { missingPrograms } from '../../services/retrainer/trainer/missingPrograms.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import { effectiveSettings } from './effectiveSettings.ts';

export function addConfigCommand(program: Command): void {
  program
    .command('config')
    .description('Check the settings file.')
    .command('check')
    .argument('[file]', 'YAML file (default: the one of DRIFTLOOP_CONFIG, else no file)')
    .description('List every mistake of a settings file, or print all settings as they apply.')
    .addHelpText(
      'after',
      `
A correct file is printed in full: the settings of a model that it does not name, and those of each
model that it names. Old names of settings that the file uses, and trainers whose program or secret this
machine does not have, are listed as warnings, on standard error. A wrong file ends with exit code 1 and one line per mistake:
  file:line: setting: what was expected

Examples:
  driftloop config check                 all settings with their defaults
  driftloop config check driftloop.yaml`,
    )
    .action(runConfigCheck);
}

function runConfigCheck(file: string | undefined): void {
  const settings = readSettings(file ?? readEnvironment().DRIFTLOOP_CONFIG);
  const warnings = [
    ...settings.warnings,
    ...missingPrograms(settings),
    ...missingSecrets(settings),
  ];
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  process.stdout.write(stringify(effectiveSettings(settings), { aliasDuplicateObjects: false }));
}
