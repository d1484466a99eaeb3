import { RegistryError, RegistryRequests } from '../../services/shared/avro/registryRequests.ts';
import type { Environment } from '../../services/shared/config/environment.ts';

/** A registry that is away for longer than this keeps its subjects. */
const maxWaitMs = 30_000;

/** Deletes the subjects of the schema registry whose names are chosen. */
export async function deleteSubjects(
  environment: Environment,
  isChosen: (subject: string) => boolean,
): Promise<void> {
  const requests = new RegistryRequests(environment, { signal: AbortSignal.timeout(maxWaitMs) });
  const subjects = (await requests.get('/subjects')) as string[];
  for (const subject of subjects.filter(isChosen)) {
    const path = `/subjects/${encodeURIComponent(subject)}`;
    // The first request marks a subject as deleted, the second one removes it.
    for (const query of ['', '?permanent=true'])
      await requests.send('DELETE', path + query).catch(rethrowUnlessRefused);
  }
}

/** Another program may have deleted the subject, or Apicurio removes it with the first request. */
function rethrowUnlessRefused(error: unknown): void {
  if (!(error instanceof RegistryError)) throw error;
}
