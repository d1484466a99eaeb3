/**
 * The built-in trainer. It trains a small network in TensorFlow.js, in a process of its own because
 * training blocks the event loop. docs/trainers.md describes the contract that every trainer
 * follows.
 *
 *   node services/retrainer/trainer/trainer.ts FOLDER
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { predict } from '../../shared/model/model.ts';
import { writeModel } from '../../shared/model/modelArtifact.ts';
import { loadTensorflow } from '../../shared/model/tensorflow.ts';
import { type LabelledRows, trainModel } from '../../shared/model/trainModel.ts';
import type { RowRange } from '../dataset/dataSplit.ts';
import { type DatasetRow, readDataset } from '../dataset/dataset.ts';
import { trainerCodeVersion } from './trainerCodeVersion.ts';
import {
  datasetFile,
  modelFolderName,
  predictionsFile,
  readTask,
  type TrainingTask,
} from './trainerContract.ts';

// The retrainer holds standard input open. When it ends, nobody waits for the model any more.
process.stdin.on('end', () => process.exit(1)).resume();

async function train(folder: string): Promise<void> {
  const task = await readTask(folder);
  const rows = await readDataset(join(folder, datasetFile));
  const rowsOf = ({ start, end }: RowRange) => rows.slice(start, end);
  const { backend } = await loadTensorflow();
  const model = await trainModel({
    task: task.task,
    classes: task.classes,
    features: task.features.map(feature => feature.name),
    train: labelledRows(task.trainRows?.map(row => rows[row]!) ?? rowsOf(task.splits.train), task),
    select: labelledRows(rowsOf(task.splits.select), task),
    seed: task.seed,
    costs: task.costs,
    afterEpoch: () => nextTurn(),
  });
  await writeModel(join(task.outputFolder, modelFolderName), model, {
    datasetId: task.datasetId,
    seed: task.seed,
    backend,
    codeVersion: trainerCodeVersion(),
  });
  const outputs = await predict(
    model,
    rows.map(row => row.features),
  );
  const lines = outputs.map((output, row) => `${JSON.stringify({ row, ...output })}\n`);
  await writeFile(join(task.outputFolder, predictionsFile), lines.join(''));
}

function labelledRows(rows: readonly DatasetRow[], { labelColumn }: TrainingTask): LabelledRows {
  return {
    features: rows.map(row => row.features),
    labels: rows.map(row => (labelColumn === 'label_value' ? row.labelValue! : row.label)),
  };
}

try {
  await train(process.argv[2]!);
} catch (error) {
  // The last lines become part of the published reason, so they should be readable.
  console.error((error as Error).message);
  process.exit(1);
}
process.exit(0);
