import type { Settings } from '../../shared/config/settings.ts';

/**
 * Returns a sentence for each secret of a webhook (`retraining.webhook.secretEnv`) that the
 * environment does not have. No request is sent without its signature.
 */
export function missingSecrets({ ofOthers, configuredModels, of }: Settings): string[] {
  const names = [ofOthers, ...configuredModels.map(of)].map(
    ({ retraining }) => retraining.webhook?.secretEnv,
  );
  return [...new Set(names)].map(secretMistake).filter(mistake => mistake !== null);
}

/** Says what is wrong with a secret, or returns null. */
export function secretMistake(name: string | undefined): string | null {
  if (name === undefined) return null;
  const secret = (process.env[name] ?? '').replace(/^whsec_/, '');
  // What Node leaves out is not Base64.
  const isBase64 = secret !== '' && Buffer.from(secret, 'base64').toString('base64') === secret;
  return isBase64
    ? null
    : `retraining.webhook.secretEnv: expected a secret such as whsec_… with Base64 in the environment variable ${name}; the retrainers need it.`;
}
