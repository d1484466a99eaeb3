import { join, resolve } from 'node:path';
import { libraryFolder } from './libraryFolder.ts';
import type { ChildProcess } from './processes/childProcess.ts';
import { claimPort, localHost } from './processes/claimPort.ts';
import { untilUnowned } from './processes/dataFolderOwner.ts';
import { startServerProcess } from './processes/serverProcess.ts';
import type { StartOptions } from './processes/startOptions.ts';

export interface SchemaRegistryServer extends ChildProcess {
  /** Base URL of the Confluent API. */
  url: string;
}

const version = '2.6.13.Final';

/**
 * Starts the Apicurio registry, which keeps its schemas in an H2 file and offers the Confluent API.
 * Schemas must be backward compatible, unless a subject says otherwise.
 * @throws UserError if it cannot start
 */
export async function startSchemaRegistry({
  dir,
  port,
  logDir,
}: StartOptions): Promise<SchemaRegistryServer> {
  const jar = join(libraryFolder('registry'), `apicurio-registry-app-${version}-runner.jar`);
  const dataFolder = resolve(dir);
  await untilUnowned('schema registry', dataFolder);
  const httpPort = await claimPort('the schema registry', port, 'DRIFTLOOP_REGISTRY_PORT');
  const settings = {
    'quarkus.http.host': localHost,
    'quarkus.http.port': httpPort,
    // Without WRITE_DELAY=0 a kill loses the schemas of the last half second, though acknowledged.
    'quarkus.datasource.jdbc.url': `jdbc:h2:file:${join(dataFolder, 'registry')};WRITE_DELAY=0`,
    // Otherwise the same schema with other white space becomes a new version.
    'registry.ccompat.use-canonical-hash': true,
    'quarkus.log.level': 'WARN',
    'quarkus.log.console.color': false,
  };
  const url = `http://${localHost}:${httpPort}/apis/ccompat/v7`;
  const child = await startServerProcess({
    name: 'the schema registry',
    command: 'java',
    args: [
      ...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
      ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
      ...['-jar', jar],
    ],
    logFile: join(logDir, 'schema-registry.log'),
    dataFolder,
    isReady: () => requireBackwardCompatibility(url),
  });
  return { ...child, url };
}

/**
 * Makes Apicurio check schemas, which it does not do by default.
 * @returns true if it took the setting, which shows that it is up
 */
async function requireBackwardCompatibility(url: string): Promise<boolean> {
  const response = await fetch(`${url}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ compatibility: 'BACKWARD' }),
    signal: AbortSignal.timeout(5_000),
  });
  await response.arrayBuffer();
  return response.ok;
}
