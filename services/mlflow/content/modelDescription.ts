import type { StoredDataset, StoredVersion } from './storedVersion.ts';
import { columnType } from './versionContent.ts';

/** The file in which MLflow looks for what a model is. */
export const modelDescriptionFile = 'MLmodel';

/**
 * Returns the content of MLflow's file about a model: where it comes from, and its signature, that
 * is its inputs and outputs with their types. The file is YAML, of which JSON is a part.
 *
 * The flavor `driftloop` has no loader in Python. A trainer that leaves a file of that name, as
 * MLflow's own `save_model` does, gives people a model that MLflow can load.
 */
export function modelDescription(version: StoredVersion, runId: string): string {
  const { codeVersion, judgedAtMs, dataset } = version;
  const signature = dataset && signatureOf(dataset);
  return JSON.stringify(
    {
      artifact_path: 'model',
      run_id: runId,
      utc_time_created: new Date(judgedAtMs).toISOString().replace('T', ' ').replace('Z', ''),
      flavors: { driftloop: { model: version.model, version: version.version, code: codeVersion } },
      ...(signature && { signature }),
    },
    null,
    2,
  );
}

/** Features may be missing, so no input is required. */
function signatureOf({ task, featureTypes }: StoredDataset) {
  if (Object.keys(featureTypes).length === 0) return null;
  const inputs = Object.entries(featureTypes).map(([name, type]) => ({
    type: columnType(type),
    name,
    required: false,
  }));
  const type = task === 'regression' ? 'double' : 'string';
  const outputs = [{ type, name: 'prediction', required: true }];
  return { inputs: JSON.stringify(inputs), outputs: JSON.stringify(outputs), params: null };
}
