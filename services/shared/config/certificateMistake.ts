/** Certificates of a server that nothing on this machine vouches for. */
const untrusted = [
  'self-signed certificate',
  'unable to get local issuer certificate',
  'unable to verify the first certificate',
  'unable to get issuer certificate',
];
/** What a server says that wants a certificate of the client, or another one. */
const refused = [
  'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
  'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
  'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
  'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE',
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
];

/**
 * Returns in one line what an operator has to change when TLS has failed by a certificate, or null
 * for an error of another kind. Libraries wrap errors in errors.
 * @param server such as "the schema registry"
 * @param variables what the names of the variables begin with, such as SCHEMA_REGISTRY
 */
export function certificateMistake(
  error: unknown,
  server: string,
  variables: string,
): string | null {
  if (!(error instanceof Error)) return null;
  const { message, code, cause } = error as Error & { code?: string };
  if (untrusted.some(text => message.includes(text)))
    return `${server}: ${message}; name the certificate of its authority in ${variables}_CA_FILE`;
  if (refused.includes(code ?? ''))
    return `${server} refuses the certificate of this client (${code}); name one that it accepts in ${variables}_CERT_FILE and ${variables}_KEY_FILE`;
  return certificateMistake(cause, server, variables);
}
