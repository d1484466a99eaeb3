import type { Environment } from '../../services/shared/config/environment.ts';
import { type KafkaAdmin, topicResource } from '../../services/shared/kafka/kafka.ts';
import { prefixed, type Topic, topics } from '../../services/shared/kafka/topics.ts';
import { maxDeadLetterBytes } from '../../services/shared/service/deadLetters.ts';
import { waitUntilUsable } from './waitUntilUsable.ts';

interface TopicDefinition {
  /** Number of partitions that the topic is created with; an installation may have more. */
  partitions: number;
  /** How long records stay, in ms. 'compact' keeps the latest record of each key for ever. */
  retention: 'compact' | number;
  maxMessageBytes: number;
  /** Contract of the values, in schemas/. */
  contract?: string;
}

const megabyte = 1024 * 1024;
const dayMs = 86_400_000;
/**
 * Services refuse records of more than 1 MB. The topics of producers take larger ones, so that
 * these become dead letters instead of errors in a producer's log.
 */
const maxProducerMessageBytes = 4 * megabyte;

export const topicDefinitions: Readonly<Record<Topic, TopicDefinition>> = {
  [topics.predictions]: {
    partitions: 4,
    retention: 7 * dayMs,
    maxMessageBytes: maxProducerMessageBytes,
    contract: 'Prediction',
  },
  [topics.feedback]: {
    partitions: 4,
    retention: 7 * dayMs,
    maxMessageBytes: maxProducerMessageBytes,
    contract: 'Feedback',
  },
  [topics.windows]: {
    partitions: 4,
    retention: 7 * dayMs,
    maxMessageBytes: megabyte,
    contract: 'WindowUpdate',
  },
  [topics.driftEvents]: {
    partitions: 4,
    retention: 90 * dayMs,
    maxMessageBytes: megabyte,
    contract: 'DriftEvent',
  },
  [topics.alerts]: {
    partitions: 4,
    retention: 90 * dayMs,
    maxMessageBytes: megabyte,
    contract: 'Alert',
  },
  [topics.flags]: {
    partitions: 4,
    retention: 7 * dayMs,
    maxMessageBytes: megabyte,
    contract: 'Flag',
  },
  [topics.retrainRequests]: {
    partitions: 4,
    retention: 90 * dayMs,
    maxMessageBytes: megabyte,
    contract: 'RetrainRequest',
  },
  // A year, because these topics say what people did.
  [topics.versionRequests]: {
    partitions: 4,
    retention: 365 * dayMs,
    maxMessageBytes: megabyte,
    contract: 'VersionRequest',
  },
  [topics.driftRequests]: {
    partitions: 4,
    retention: 365 * dayMs,
    maxMessageBytes: megabyte,
    contract: 'DriftRequest',
  },
  [topics.alertRequests]: {
    partitions: 4,
    retention: 365 * dayMs,
    maxMessageBytes: megabyte,
    contract: 'AlertRequest',
  },
  [topics.modelVersions]: {
    partitions: 1,
    retention: 'compact',
    maxMessageBytes: megabyte,
    contract: 'ModelVersion',
  },
  [topics.modelAliases]: {
    partitions: 1,
    retention: 'compact',
    maxMessageBytes: megabyte,
    contract: 'ModelAlias',
  },
  // JSON in the contract of OpenLineage.
  [topics.lineage]: {
    partitions: 1,
    retention: 365 * dayMs,
    maxMessageBytes: megabyte,
  },
  [topics.notices]: {
    partitions: 1,
    retention: 'compact',
    maxMessageBytes: megabyte,
    contract: 'Notice',
  },
  [topics.outputMeanings]: {
    partitions: 1,
    retention: 'compact',
    maxMessageBytes: megabyte,
    contract: 'OutputMeaning',
  },
  // As long as the table dead_letters, which is the index of the topic.
  [topics.deadLetters]: {
    partitions: 4,
    retention: 90 * dayMs,
    maxMessageBytes: maxDeadLetterBytes,
  },
  // A month longer than the dead letters, so that no letter outlives the mark that it was sent.
  [topics.deadLetterReplays]: {
    partitions: 1,
    retention: 120 * dayMs,
    maxMessageBytes: megabyte,
  },
};

/** Values that replace those of the definitions. */
export type TopicOverrides = Partial<Record<Topic, Partial<TopicDefinition>>>;

export interface TopicState {
  /** With the prefix of the installation. */
  name: string;
  partitions: number;
  created: boolean;
  /** Harmless differences from what Driftloop would create, one line each. */
  notes: string[];
  /** Differences that lose or refuse records, one line each. */
  mistakes: string[];
}

/**
 * Creates the topics that are missing, and compares those that exist with their definitions. It
 * does not change existing topics.
 */
export async function ensureTopics(
  admin: KafkaAdmin,
  environment: Environment,
  overrides: TopicOverrides = {},
): Promise<TopicState[]> {
  const wanted = Object.entries(topicDefinitions).map(([topic, definition]) => ({
    name: prefixed(environment, topic),
    definition: { ...definition, ...overrides[topic as Topic] },
  }));
  const existing = new Set(await admin.listTopics());
  const missing = wanted.filter(({ name }) => !existing.has(name));
  if (missing.length > 0) {
    await admin.createTopics({
      waitForLeaders: false,
      topics: missing.map(({ name, definition }) => ({
        topic: name,
        numPartitions: definition.partitions,
        replicationFactor: environment.DRIFTLOOP_REPLICATION_FACTOR ?? -1,
        configEntries: Object.entries(configuration(definition)).map(([key, value]) => ({
          name: key,
          value,
        })),
      })),
    });
    await waitUntilUsable(
      admin,
      missing.map(({ name }) => name),
    );
  }
  const present = wanted.filter(({ name }) => existing.has(name));
  const configurations = await describeTopics(
    admin,
    present.map(({ name }) => name),
  );
  return wanted.map(({ name, definition }) => {
    const found = configurations.get(name);
    if (!found)
      return { name, partitions: definition.partitions, created: true, notes: [], mistakes: [] };
    return { name, partitions: found.partitions, created: false, ...compare(definition, found) };
  });
}

function configuration(definition: TopicDefinition): Record<string, string> {
  return {
    'cleanup.policy': definition.retention === 'compact' ? 'compact' : 'delete',
    ...(definition.retention !== 'compact' && { 'retention.ms': String(definition.retention) }),
    'max.message.bytes': String(definition.maxMessageBytes),
  };
}

interface FoundTopic {
  partitions: number;
  configuration: Record<string, string>;
}

async function describeTopics(
  admin: KafkaAdmin,
  names: string[],
): Promise<Map<string, FoundTopic>> {
  if (names.length === 0) return new Map();
  const metadata = await admin.fetchTopicMetadata({ topics: names });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map(name => ({
      type: topicResource,
      name,
      configNames: ['cleanup.policy', 'retention.ms', 'max.message.bytes'],
    })),
  });
  const entries = new Map(
    resources.map(resource => [
      resource.resourceName,
      Object.fromEntries(
        resource.configEntries.map(entry => [entry.configName, entry.configValue]),
      ),
    ]),
  );
  return new Map(
    metadata.topics.map(({ name, partitions }) => [
      name,
      { partitions: partitions.length, configuration: entries.get(name) ?? {} },
    ]),
  );
}

/**
 * Compares an existing topic with its definition. Partitions and retention are a choice of the
 * operator. Another cleanup policy or a lower size limit breaks a guarantee.
 */
function compare(
  definition: TopicDefinition,
  found: FoundTopic,
): Pick<TopicState, 'notes' | 'mistakes'> {
  const notes: string[] = [];
  const mistakes: string[] = [];
  if (found.partitions !== definition.partitions) {
    notes.push(
      `has ${found.partitions} partitions, Driftloop would create ${definition.partitions}`,
    );
  }
  const expected = configuration(definition);
  const policy = found.configuration['cleanup.policy'];
  if (policy !== expected['cleanup.policy']) {
    mistakes.push(`cleanup.policy is ${policy}, expected ${expected['cleanup.policy']}`);
  }
  const retention = found.configuration['retention.ms'];
  if (expected['retention.ms'] !== undefined && retention !== expected['retention.ms']) {
    notes.push(`retention.ms is ${retention}, Driftloop would set ${expected['retention.ms']}`);
  }
  const maxBytes = Number(found.configuration['max.message.bytes']);
  if (maxBytes < definition.maxMessageBytes) {
    mistakes.push(
      `max.message.bytes is ${maxBytes}, expected at least ${definition.maxMessageBytes}`,
    );
  }
  return { notes, mistakes };
}
