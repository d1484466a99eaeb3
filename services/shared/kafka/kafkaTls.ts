import type { Environment } from '../config/environment.ts';
import { readTlsFiles, type TlsFiles } from '../config/readTlsFiles.ts';

/** Returns how to connect to Kafka by TLS, or false for a connection without it. */
export function kafkaTls(environment: Environment): TlsFiles | boolean {
  if (!environment.KAFKA_SSL) return false;
  const files = readTlsFiles(environment, 'KAFKA_SSL');
  return Object.keys(files).length === 0 ? true : files;
}
