/**
 * A trainer with the faults that trainers have, in turn by the seed: it ends with an error, answers
 * always the same, answers what the label was while it trained and the opposite afterwards, or
 * leaves out rows.
 *
 *   node quality/loop/badTrainer.ts FOLDER
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readDataset } from '../../services/retrainer/dataset/dataset.ts';
import {
  datasetFile,
  modelFolderName,
  predictionsFile,
  readTask,
} from '../../services/retrainer/trainer/trainerContract.ts';

const folder = process.argv[2]!;
const task = await readTask(folder);
const rows = await readDataset(join(folder, datasetFile));
const { gate } = task.splits;
const [no, yes] = task.classes;

const faults: (() => object[])[] = [
  () => {
    throw new Error('the trainer has run out of memory');
  },
  () => rows.map((_, row) => ({ row, prediction: no, score: 0.01 })),
  () =>
    rows.map(({ label }, row) => {
      const isRight = row < gate.start;
      const isPositive = (label === yes) === isRight;
      return { row, prediction: isPositive ? yes : no, score: isPositive ? 0.99 : 0.01 };
    }),
  () => rows.slice(0, gate.start).map((_, row) => ({ row, prediction: yes, score: 0.99 })),
];

const outputs = faults[task.seed % faults.length]!();
await mkdir(join(task.outputFolder, modelFolderName));
await writeFile(join(task.outputFolder, modelFolderName, 'weights.txt'), 'none\n');
await writeFile(
  join(task.outputFolder, predictionsFile),
  outputs.map(output => `${JSON.stringify(output)}\n`).join(''),
);
