import { type ModelOutput, predict } from '../../services/shared/model/model.ts';
import { loadModel } from '../../services/shared/model/modelArtifact.ts';
import { trainModel } from '../../services/shared/model/trainModel.ts';
import { rowsOfDay, rowsOfTraining, type World, type WorldRow } from './worlds.ts';

/** A version that answers. */
export interface ServedModel {
  version: string;
  predict(rows: readonly WorldRow['features'][]): Promise<ModelOutput[]>;
}

const selectShare = 0.2;

/** Trains a model on rows that are drawn from one day of a world, as its own trainer would. */
export async function modelOfDay(world: World, day: number, version: string): Promise<ServedModel> {
  const rows = rowsOfDay(world, day, rowsOfTraining, 'training');
  const selectFrom = Math.floor(rows.length * (1 - selectShare));
  const labelled = (part: readonly WorldRow[]) => ({
    features: part.map(({ features }) => features),
    labels: part.map(({ label }) => label),
  });
  const network = await trainModel({
    task: world.task,
    classes: world.classes,
    features: Object.keys(rows[0]!.features),
    train: labelled(rows.slice(0, selectFrom)),
    select: labelled(rows.slice(selectFrom)),
    seed: 1,
  });
  return { version, predict: features => predict(network, features) };
}

/** Loads a version that the loop has made. */
export async function modelOfLoop(
  version: string,
  artifactUri: string,
  checksum: string,
): Promise<ServedModel> {
  const loaded = await loadModel(artifactUri, checksum);
  return { version, predict: features => loaded.predict(features) };
}

/**
 * Returns the loss of an output: the squared error of the probability of the positive class (Brier,
 * Monthly Weather Review 78, 1950) for classes, and the absolute error for numbers.
 */
export function lossOf({ task, classes }: World, { label }: WorldRow, output: ModelOutput): number {
  if (task === 'regression') return Math.abs(Number(output.prediction) - Number(label));
  return (output.score! - (label === classes.at(-1) ? 1 : 0)) ** 2;
}

/** Returns the mean loss of the best answer that is always the same. */
export function lossOfConstant(world: World, rows: readonly WorldRow[]): number {
  const { task, classes } = world;
  if (task === 'regression') {
    const labels = rows.map(({ label }) => Number(label)).sort((one, other) => one - other);
    const median = labels[Math.floor(labels.length / 2)]!;
    return mean(labels.map(label => Math.abs(label - median)));
  }
  const share = mean(rows.map(({ label }) => (label === classes.at(-1) ? 1 : 0)));
  return share * (1 - share);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
