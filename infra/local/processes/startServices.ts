import { join } from 'node:path';
import type { ServiceName } from '../../kafka/serviceFlow.ts';
import { freePort } from './claimPort.ts';
import { type ServiceProcess, serviceScript, startServiceProcess } from './serviceProcesses.ts';

export interface ServicesOptions {
  services: readonly ServiceName[];
  /** Environment variables of all. */
  variables: Record<string, string>;
  logDir: string;
  onExit: (line: string) => void;
}

/**
 * Starts the services side by side.
 * @returns what stops them
 * @throws UserError when one does not get ready; the others are stopped then
 */
export async function startServices({
  services,
  variables,
  logDir,
  onExit,
}: ServicesOptions): Promise<() => Promise<void>> {
  const outcomes = await Promise.allSettled(
    services.map(async name =>
      startServiceProcess({
        name,
        script: serviceScript(name),
        env: { ...variables, DRIFTLOOP_HTTP_PORT: String(await freePort()) },
        logFile: join(logDir, `${name}.log`),
        onExit,
      }),
    ),
  );
  const started = outcomes.flatMap(outcome =>
    outcome.status === 'fulfilled' ? outcome.value : [],
  );
  const stop = async () =>
    void (await Promise.all(started.map((service: ServiceProcess) => service.stop())));
  const failure = outcomes.find(outcome => outcome.status === 'rejected');
  if (!failure) return stop;
  await stop();
  throw failure.reason;
}
