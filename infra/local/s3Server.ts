import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { libraryFolder } from './libraryFolder.ts';
import type { ChildProcess } from './processes/childProcess.ts';
import { claimPort, localHost } from './processes/claimPort.ts';
import { untilUnowned } from './processes/dataFolderOwner.ts';
import { startServerProcess } from './processes/serverProcess.ts';
import type { StartOptions } from './processes/startOptions.ts';

export interface S3Server extends ChildProcess {
  /** What a client needs: the environment variables of AWS. */
  variables: Record<string, string>;
}

const credentials = { identity: 'driftloop', credential: 'only-for-tests' };

/**
 * Starts S3Proxy, a server with the interface of S3 that keeps its objects as files and checks the
 * signature of every request. The tests use it; nothing else needs it.
 * @param bucket is there when it is ready
 * @throws UserError if it cannot start
 */
export async function startS3Server(
  bucket: string,
  { dir, port, logDir }: StartOptions,
): Promise<S3Server> {
  const dataFolder = resolve(dir);
  await untilUnowned('S3 server', dataFolder);
  mkdirSync(join(dataFolder, 'buckets', bucket), { recursive: true });
  const httpPort = await claimPort('the S3 server', port, 'DRIFTLOOP_S3_PORT');
  const url = `http://${localHost}:${httpPort}`;
  const settings = {
    's3proxy.endpoint': url,
    's3proxy.authorization': 'aws-v2-or-v4',
    's3proxy.identity': credentials.identity,
    's3proxy.credential': credentials.credential,
    'jclouds.provider': 'filesystem-nio2',
    'jclouds.filesystem.basedir': join(dataFolder, 'buckets'),
  };
  const settingsFile = join(dataFolder, 's3proxy.properties');
  writeFileSync(
    settingsFile,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const child = await startServerProcess({
    name: 'the S3 server',
    command: 'java',
    args: [
      ...['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
      ...['-jar', join(libraryFolder('s3proxy'), 's3proxy.jar'), '--properties', settingsFile],
    ],
    logFile: join(logDir, 's3.log'),
    dataFolder,
    // It refuses a request without a signature, but then it is there.
    isReady: async () => (await fetch(url, { signal: AbortSignal.timeout(2_000) })).status === 403,
  });
  return {
    ...child,
    variables: {
      AWS_ENDPOINT_URL_S3: url,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: credentials.identity,
      AWS_SECRET_ACCESS_KEY: credentials.credential,
    },
  };
}
