import { join } from 'node:path';
import { pythonEnvironment } from './pythonEnvironment.ts';

const root = join(import.meta.dirname, '..', '..');

/**
 * Installs the Python packages of the tests, unless they are there: MLflow, and those of the
 * trainer in examples/sklearn. They share numpy and pandas.
 * @returns the folder of the programs, such as `python`
 */
export function installTestPackages(): Promise<string> {
  return pythonEnvironment(join(root, '.driftloop', 'python', 'tests'), [
    join(import.meta.dirname, 'mlflow.txt'),
    join(root, 'examples', 'sklearn', 'requirements.txt'),
  ]);
}
