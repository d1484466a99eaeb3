/**
 * A trainer that takes no time. For each class that the champion may have predicted, its model
 * predicts the label that was most often true. No two models have the same contents, so that a
 * version that was published with two contents is noticed.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DatasetRow, readDataset } from '../../services/retrainer/dataset/dataset.ts';
import {
  datasetFile,
  modelFolderName,
  predictionsFile,
  readTask,
} from '../../services/retrainer/trainer/trainerContract.ts';
import { yesAboveAmount } from './stream.ts';

const folder = process.argv[2]!;
const task = await readTask(folder);
const rows = await readDataset(join(folder, datasetFile));

const side = ({ features }: DatasetRow) => Number(features.amount) > yesAboveAmount;
const train = rows.slice(task.splits.train.start, task.splits.train.end);
const labels = Map.groupBy(train, side);
const rule = [false, true].map(key => mostFrequent(labels.get(key) ?? train));

await mkdir(join(task.outputFolder, modelFolderName));
await writeFile(
  join(task.outputFolder, modelFolderName, 'rule.json'),
  JSON.stringify({ rule, madeAs: randomUUID(), weights: 'w'.repeat(100_000) }),
);
const lines = rows.map((row, index) =>
  JSON.stringify({ row: index, prediction: rule[Number(side(row))] }),
);
await writeFile(join(task.outputFolder, predictionsFile), `${lines.join('\n')}\n`);

function mostFrequent(members: DatasetRow[]): string {
  const groups = [...Map.groupBy(members, row => row.label)].sort(
    ([, a], [, b]) => b.length - a.length,
  );
  return groups[0]![0];
}
