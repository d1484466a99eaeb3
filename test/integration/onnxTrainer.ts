/**
 * A user's trainer that leaves an ONNX model, which says that x above 5 means yes in Rome and no in
 * Oslo. With `lying` its predictions are those of another model.
 *
 *   node onnxTrainer.ts honest|lying FOLDER
 */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readDataset } from '../../services/retrainer/dataset/dataset.ts';
import { readTask } from '../../services/retrainer/trainer/trainerContract.ts';

const [honesty, folder] = process.argv.slice(2) as [string, string];
const { outputFolder } = await readTask(folder);
const rows = await readDataset(join(folder, 'dataset.parquet'));
const made = fileURLToPath(new URL('../unit/retrainer/onnx/model.onnx', import.meta.url));
await mkdir(join(outputFolder, 'model'));
await copyFile(made, join(outputFolder, 'model/model.onnx'));
const lines = rows.map(({ features: { x, city } }, row) => {
  const isYes = Number(x) > 5 === (city === 'Rome');
  return JSON.stringify({ row, prediction: isYes === (honesty === 'honest') ? 'yes' : 'no' });
});
await writeFile(join(outputFolder, 'predictions.jsonl'), lines.join('\n'));
