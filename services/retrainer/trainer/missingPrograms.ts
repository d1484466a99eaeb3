import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Settings } from '../../shared/config/settings.ts';

/**
 * Returns a sentence for each trainer of the settings (`retraining.command`) whose program is not on
 * this machine. Its trainings would fail.
 */
export function missingPrograms({ ofOthers, configuredModels, of }: Settings): string[] {
  const commandOfOthers = ofOthers.retraining.command;
  const settings = [
    { path: 'defaults', command: commandOfOthers },
    ...configuredModels.map(model => ({
      path: `models.${model}`,
      command: of(model).retraining.command,
    })),
  ];
  return settings.flatMap(({ path, command }, index) => {
    const isRepeated = index > 0 && command?.join('\0') === commandOfOthers?.join('\0');
    if (command === undefined || isRepeated || isFound(command[0]!)) return [];
    const [program] = command;
    return [
      `${path}.retraining.command: expected a program that can be run on this machine, got ${JSON.stringify(program)}; the retrainers need it.`,
    ];
  });
}

/** Looks for a program as the retrainer does when it starts one: by its path, or in PATH. */
function isFound(program: string): boolean {
  if (program.includes('/')) return isExecutable(program);
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some(folder => folder !== '' && isExecutable(join(folder, program)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    // Whatever the reason is, the program cannot be run.
    return false;
  }
}
