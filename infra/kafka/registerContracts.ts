import type { SchemaClient } from '../../services/shared/avro/schemaRegistry.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import { prefixed } from '../../services/shared/kafka/topics.ts';
import { topicDefinitions } from './topics.ts';

/**
 * Registers the contract of each topic at the schema registry, so that producers and consumers in
 * any language find it. Idempotent.
 * @returns the names of the subjects, `<topic>-value`
 */
export async function registerContracts(
  schemas: SchemaClient,
  environment: Environment,
): Promise<string[]> {
  const subjects: string[] = [];
  for (const [topic, { contract }] of Object.entries(topicDefinitions)) {
    if (contract === undefined) continue;
    const name = prefixed(environment, topic);
    await schemas.encoder(contract, name);
    subjects.push(`${name}-value`);
  }
  return subjects;
}
