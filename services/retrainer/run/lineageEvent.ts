import packageDescription from '../../../package.json' with { type: 'json' };
import type { EndOfRun, RunStart } from './runOutcome.ts';

/** Where the records of a training came from, in the names of OpenLineage. */
export interface LineageSources {
  /** Namespace of the job. */
  namespace: string;
  /** Such as kafka://broker:9092. */
  kafkaNamespace: string;
  /** Full names of the topics. */
  topics: readonly string[];
}

type EventType = 'START' | 'COMPLETE' | 'FAIL' | 'ABORT';

/** A run event of OpenLineage. */
export type LineageEvent = ReturnType<typeof event>;

const producer = `https://driftloop.io/${packageDescription.version}`;
const spec = 'https://openlineage.io/spec';

/** Returns the event that a training has started. */
export function startEvent(run: RunStart, sources: LineageSources): LineageEvent {
  return event('START', run, run.startedAtMs, sources, {});
}

/**
 * Returns the event that a training has ended, with what came out. A version that the gates have
 * rejected is a complete training, too.
 */
export function endEvent(
  run: RunStart,
  outcome: EndOfRun,
  endedAtMs: number,
  sources: LineageSources,
): LineageEvent {
  switch (outcome.kind) {
    case 'judged': {
      const { version } = outcome;
      const { datasetId, codeVersion: trainer, status, reasons, metrics } = version;
      return event('COMPLETE', run, endedAtMs, sources, {
        facts: { datasetId, trainer, version: version.version, status, reasons, metrics },
        outputs: [
          dataset(run.artifacts.uri(`datasets/${datasetId}/rows.parquet`), datasetId),
          dataset(version.artifactUri, version.artifactChecksum),
        ],
      });
    }
    case 'failed': {
      const { reason, training } = outcome;
      return event('FAIL', run, endedAtMs, sources, { facts: { ...training }, failure: reason });
    }
    case 'skipped':
      return event('ABORT', run, endedAtMs, sources, { facts: { reasons: outcome.reasons } });
  }
}

interface Ended {
  facts?: Record<string, unknown>;
  failure?: string;
  outputs?: object[];
}

function event(
  eventType: EventType,
  { runId, cause, championVersion }: RunStart,
  timeMs: number,
  { namespace, kafkaNamespace, topics }: LineageSources,
  { facts = {}, failure, outputs = [] }: Ended,
) {
  return {
    eventType,
    eventTime: new Date(timeMs).toISOString(),
    producer,
    schemaURL: `${spec}/2-0-2/OpenLineage.json#/$defs/RunEvent`,
    run: {
      runId: uuidOf(runId),
      facets: {
        driftloop_training: {
          ...facet('https://driftloop.io/docs/trainers.md'),
          ...{ runId, causeType: cause.type, causeId: cause.id, championVersion },
          ...facts,
        },
        ...(failure !== undefined && {
          errorMessage: {
            ...facet(`${spec}/facets/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet`),
            message: failure,
            programmingLanguage: 'unknown',
          },
        }),
      },
    },
    job: {
      namespace,
      name: `train.${cause.model}`,
      facets: {
        jobType: {
          ...facet(`${spec}/facets/2-0-3/JobTypeJobFacet.json#/$defs/JobTypeJobFacet`),
          ...{ processingType: 'BATCH', integration: 'DRIFTLOOP', jobType: 'TRAINING' },
        },
      },
    },
    inputs: topics.map(name => ({ namespace: kafkaNamespace, name, facets: {} })),
    outputs,
  };
}

/** A file or a folder, named as OpenLineage names those of its kind of store. */
function dataset(uri: string, version: string) {
  const [, bucket, key] = /^(s3:\/\/[^/]+)\/(.*)$/.exec(uri) ?? [];
  const path = bucket === undefined ? decodeURIComponent(new URL(uri).pathname) : key!;
  return {
    namespace: bucket ?? 'file',
    name: path,
    facets: {
      version: {
        ...facet(
          `${spec}/facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet`,
        ),
        datasetVersion: version,
      },
    },
  };
}

function facet(schemaUrl: string) {
  return { _producer: producer, _schemaURL: schemaUrl };
}

/** Writes the id of a run as OpenLineage wants it: as a UUID, of the version for own schemes (8). */
export function uuidOf(id: string): string {
  const hex = `${id.slice(0, 12)}8${id.slice(13, 16)}8${id.slice(17, 32)}`;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
