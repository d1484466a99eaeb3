import type { MlflowRegistry, MlflowRun } from '../client/mlflowRegistry.ts';
import { aliasNames, experimentName, noVersion, registeredName, tags } from '../content/names.ts';
import type { StoredVersion } from '../content/storedVersion.ts';
import {
  descriptionOf,
  factTags,
  loggedDataset,
  runContent,
  stateTags,
} from '../content/versionContent.ts';
import { type ModelSource, sourceOf, uploadModel } from './uploadModel.ts';

/**
 * Brings a version into MLflow as it stands now: its training as a run, its files, and itself as a
 * version of a registered model. Each part is looked for before it is made, so doing it again,
 * also after it was cut off anywhere, changes nothing.
 */
export async function keepVersion(version: StoredVersion, registry: MlflowRegistry): Promise<void> {
  const name = registeredName(version.model);
  const run = await keepRun(version, registry);
  await keepModel(version.model, name, registry);
  const find = () => registry.findVersion(name, tags.version, version.version);
  const source = sourceOf(version, run);
  const earlier = await find();
  const files = await keepFiles(version, run, source, earlier?.tags[tags.files], registry);
  const wanted = { ...factTags(version), ...stateTags(version), [tags.files]: files };
  const description = descriptionOf(version);
  // An upload may take minutes, so it is looked for again.
  const found = earlier ?? (await find());
  if (!found) {
    const { uri } = source;
    await registry.createVersion(name, { source: uri, runId: run.id, tags: wanted, description });
    return;
  }
  const { number } = found;
  for (const [key, value] of Object.entries(wanted))
    if (found.tags[key] !== value) await registry.setVersionTag(name, number, key, value);
  if (found.description !== description) await registry.describeVersion(name, number, description);
}

/** Returns the run that is the training of a version, with all that is known of it. */
async function keepRun(version: StoredVersion, registry: MlflowRegistry): Promise<MlflowRun> {
  const { runId, startedAtMs, judgedAtMs, dataset } = version;
  const experimentId = await registry.experimentId(experimentName(version.model));
  const run =
    (await registry.findRun(experimentId, tags.run, runId)) ??
    (await registry.createRun(experimentId, startedAtMs, {
      [tags.run]: runId,
      'mlflow.runName': `version ${version.version}`,
    }));
  await registry.logRun(run.id, runContent(version));
  if (dataset) await registry.logDataset(run.id, loggedDataset(version, dataset));
  await registry.finishRun(run.id, judgedAtMs);
  return run;
}

/** Makes a registered model, or marks one of that name that people have made. */
async function keepModel(model: string, name: string, registry: MlflowRegistry): Promise<void> {
  if ((await registry.model(name))?.tags[tags.model] === model) return;
  // So that whatever a person lets an alias name from now on is seen as a wish.
  const written = aliasNames.map(alias => [tags.written(alias), noVersion] as const);
  const isNew = await registry.createModel(
    name,
    { [tags.model]: model, ...Object.fromEntries(written) },
    `Versions of ${model}, which Driftloop trains, judges and promotes.`,
  );
  if (!isNew) await registry.setModelTag(name, tags.model, model);
}

/**
 * Uploads the files of a version, unless they have been.
 * @param earlier what became of the files when it was tried before
 * @returns what became of them
 */
async function keepFiles(
  version: StoredVersion,
  run: MlflowRun,
  source: ModelSource,
  earlier: string | undefined,
  { requests }: MlflowRegistry,
): Promise<string> {
  const uploaded = `uploaded from ${version.artifactUri}`;
  if (source.target === null) return source.files;
  if (earlier === uploaded) return uploaded;
  const mistake = await uploadModel(version, run.id, source.target, requests);
  return mistake === null ? uploaded : `not uploaded: ${mistake}`;
}
