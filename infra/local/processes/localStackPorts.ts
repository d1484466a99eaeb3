import { UserError } from '../../../services/shared/userError.ts';

/** Environment variable and default of each port, where a person's own stack listens. */
const ports = {
  kafka: { variable: 'DRIFTLOOP_KAFKA_PORT', fallback: 9092 },
  registry: { variable: 'DRIFTLOOP_REGISTRY_PORT', fallback: 8081 },
  clickhouse: { variable: 'DRIFTLOOP_CLICKHOUSE_PORT', fallback: 8123 },
} as const;

export type LocalStackPorts = Record<keyof typeof ports, number>;

/** @throws UserError for a variable that is no port; 0 means a free one */
export function localStackPorts(
  variables: Record<string, string | undefined> = process.env,
): LocalStackPorts {
  return {
    kafka: readPort('kafka'),
    registry: readPort('registry'),
    clickhouse: readPort('clickhouse'),
  };

  function readPort(part: keyof typeof ports): number {
    const { variable, fallback } = ports[part];
    const text = variables[variable];
    if (text === undefined || text === '') return fallback;
    const port = Number(text);
    if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
    throw new UserError(
      `environment variable ${variable}: expected a port, or 0 for a free one (got ${JSON.stringify(text)})`,
    );
  }
}
