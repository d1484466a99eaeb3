import { join } from 'node:path';
import type { ServiceName } from '../../../services/shared/kafka/serviceFlow.ts';
import { freePort } from './claimPort.ts';
import { type ServiceProcess, serviceScript, startServiceProcess } from './serviceProcesses.ts';

export interface ServicesOptions {
  services: readonly ServiceName[];
  /** Environment variables of all of them. */
  variables: Record<string, string>;
  logDir: string;
  /** Called with one line when a service ends by itself. */
  onExit: (line: string) => void;
}

export interface StartedServices {
  processes: ServiceProcess[];
  stop(): Promise<void>;
}

/**
 * Starts services at the same time, each as a process, and waits until all of them are ready.
 * @throws UserError if one does not get ready; the others are stopped then
 */
export async function startServices({
  services,
  variables,
  logDir,
  onExit,
}: ServicesOptions): Promise<StartedServices> {
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
  const processes = outcomes.flatMap(outcome =>
    outcome.status === 'fulfilled' ? outcome.value : [],
  );
  const stop = async () => void (await Promise.all(processes.map(service => service.stop())));
  const failure = outcomes.find(outcome => outcome.status === 'rejected');
  if (!failure) return { processes, stop };
  await stop();
  throw failure.reason;
}
