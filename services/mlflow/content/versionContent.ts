import { seedOf } from '../../shared/seedOf.ts';
import type { LoggedDataset, RunContent, Tags } from '../client/mlflowRegistry.ts';
import { tags } from './names.ts';
import type { StoredDataset, StoredVersion } from './storedVersion.ts';

/** Of one request. */
const maxMetrics = 1_000;
const maxTagCharacters = 5_000;
/** MLflow refuses longer digests, so the tag `driftloop.dataset` has the whole one. */
const maxDigestCharacters = 32;

/** Returns what a run of MLflow says of the training of a version. */
export function runContent(version: StoredVersion): RunContent {
  const { metrics, judgedAtMs, dataset } = version;
  return {
    metrics: Object.entries(metrics)
      .filter(([, value]) => Number.isFinite(value))
      .slice(0, maxMetrics)
      .map(([key, value]) => ({
        key: key.replace(/[^\w\-. /]/g, '_'),
        value,
        timestampMs: judgedAtMs,
      })),
    parameters: {
      trainer: version.codeVersion.slice(0, maxTagCharacters),
      seed: String(seedOf(version.datasetId)),
      ...(dataset && parametersOf(dataset)),
    },
    tags: {
      ...factTags(version),
      ...stateTags(version),
      'mlflow.note.content': descriptionOf(version),
    },
  };
}

function parametersOf(dataset: StoredDataset): Tags {
  const { task, rows, trainRows, selectRows, gateRows, fromMs, toMs, featureTypes } = dataset;
  const featureCount = Object.keys(featureTypes).length;
  return {
    task,
    rows: String(rows),
    trainRows: String(trainRows),
    selectRows: String(selectRows),
    gateRows: String(gateRows),
    from: isoTime(fromMs),
    to: isoTime(toMs),
    ...(featureCount > 0 && { features: String(featureCount) }),
  };
}

/** Returns the tags of a version that stay the same for ever. */
export function factTags(version: StoredVersion): Tags {
  return shortened({
    [tags.model]: version.model,
    [tags.version]: version.version,
    [tags.run]: version.runId,
    'driftloop.cause': version.causeType,
    'driftloop.cause_id': version.causeId,
    'driftloop.dataset': version.datasetId,
    'driftloop.compared_with': version.championVersion,
    'driftloop.artifact_checksum': version.artifactChecksum,
  });
}

/** Returns the tags of a version that change with its state. */
export function stateTags({ state, status, reasons, changedBy, note }: StoredVersion): Tags {
  return shortened({
    'driftloop.state': state || status,
    'driftloop.verdict': verdictIn(reasons),
    'driftloop.changed_by': changedBy,
    'driftloop.note': note ?? '',
  });
}

/** Returns the text that people read first. */
export function descriptionOf({ version, reasons }: StoredVersion): string {
  const lines = [`Version ${version} of Driftloop.`, ...reasons.map(reason => `- ${reason}`)];
  return lines.join('\n').slice(0, maxTagCharacters);
}

/**
 * Returns the verdict of the gates, which is the second reason.
 * @example verdictIn(['Comparison: …', 'Verdict: promote.']) // 'promote'
 */
function verdictIn(reasons: readonly string[]): string {
  for (const reason of reasons) {
    const [, verdict] = /^Verdict: ([^.]+)\./.exec(reason) ?? [];
    if (verdict) return verdict;
  }
  return '';
}

/** Returns the rows of a training as a dataset of MLflow. */
export function loggedDataset(
  { model, datasetId }: StoredVersion,
  { uri, rows, featureTypes }: StoredDataset,
): LoggedDataset {
  const columns = Object.entries(featureTypes).map(([name, type]) => ({
    name,
    type: columnType(type),
  }));
  return {
    name: model.slice(0, 250),
    digest: datasetId.slice(0, maxDigestCharacters),
    sourceType: uri.startsWith('file:') ? 'local' : 'uri',
    source: JSON.stringify({ uri }),
    schema: JSON.stringify({ mlflow_colspec: columns }),
    profile: JSON.stringify({ num_rows: rows }),
  };
}

/** MLflow's type of a feature. */
export function columnType(type: string): 'double' | 'string' {
  return type === 'number' ? 'double' : 'string';
}

/** MLflow has no empty tags. */
function shortened(values: Tags): Tags {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) =>
      value === '' ? [] : [[key, value.slice(0, maxTagCharacters)]],
    ),
  );
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
