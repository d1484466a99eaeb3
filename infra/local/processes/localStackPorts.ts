import { UserError } from '../../../services/shared/userError.ts';
import { claimPort } from './claimPort.ts';

/** Environment variable and default of each port of a stack that a person starts. */
const ports = {
  kafka: { name: 'Kafka', variable: 'DRIFTLOOP_KAFKA_PORT', fallback: 9092 },
  registry: { name: 'the schema registry', variable: 'DRIFTLOOP_REGISTRY_PORT', fallback: 8081 },
  clickhouse: { name: 'ClickHouse', variable: 'DRIFTLOOP_CLICKHOUSE_PORT', fallback: 8123 },
} as const;

type Part = keyof typeof ports;

/** 0 means a free port. */
export type LocalStackPorts = Record<Part, number>;

/** Reads the ports from environment variables. @throws UserError if one is no port */
export function localStackPorts(
  variables: Record<string, string | undefined> = process.env,
): LocalStackPorts {
  return {
    kafka: readPort(variables, 'kafka'),
    registry: readPort(variables, 'registry'),
    clickhouse: readPort(variables, 'clickhouse'),
  };
}

function readPort(variables: Record<string, string | undefined>, part: Part): number {
  const { variable, fallback } = ports[part];
  const text = variables[variable];
  if (text === undefined || text === '') return fallback;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new UserError(
    `environment variable ${variable}: expected a port, or 0 for a free one (got ${JSON.stringify(text)})`,
  );
}

/** Checks that the ports are free before anything is started. @throws UserError if one is taken */
export async function claimPorts(wanted: LocalStackPorts): Promise<void> {
  for (const part of Object.keys(ports) as Part[])
    await claimPort(ports[part].name, wanted[part], ports[part].variable);
}
