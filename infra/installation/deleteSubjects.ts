import type { Environment } from '../../services/shared/config/environment.ts';

/** Deletes the subjects of the schema registry whose names are chosen. */
export async function deleteSubjects(
  environment: Environment,
  isChosen: (subject: string) => boolean,
): Promise<void> {
  const {
    SCHEMA_REGISTRY_URL: url,
    SCHEMA_REGISTRY_USERNAME: user,
    SCHEMA_REGISTRY_PASSWORD: password,
  } = environment;
  const headers: Record<string, string> = user
    ? { authorization: `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}` }
    : {};
  const response = await fetch(`${url}/subjects`, { headers });
  if (!response.ok) throw new Error(`GET ${url}/subjects answered ${response.status}`);
  for (const subject of ((await response.json()) as string[]).filter(isChosen)) {
    // The first request marks a subject as deleted, the second one removes it.
    for (const query of ['', '?permanent=true']) {
      const deleted = await fetch(`${url}/subjects/${encodeURIComponent(subject)}${query}`, {
        method: 'DELETE',
        headers,
      });
      await deleted.arrayBuffer();
    }
  }
}
