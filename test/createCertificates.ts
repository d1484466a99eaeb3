import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Creates an authority, and certificates of it for a server of this machine and a client, as PEM files. */
export function createCertificates(folder: string) {
  mkdirSync(folder, { recursive: true });
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const request = (name: string, ...args: string[]) =>
    openssl(
      ...['req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`],
      ...['-keyout', file(`${name}.key`), ...args],
    );
  request('authority', '-x509', '-days', '2', '-out', file('authority.pem'));
  for (const name of ['server', 'client']) {
    request(name, '-out', file(`${name}.csr`));
    writeFileSync(file('extensions'), 'subjectAltName=IP:127.0.0.1\n');
    openssl(
      ...['x509', '-req', '-in', file(`${name}.csr`), '-days', '2', '-CAcreateserial'],
      ...['-CA', file('authority.pem'), '-CAkey', file('authority.key')],
      ...['-extfile', file('extensions'), '-out', file(`${name}.pem`)],
    );
  }
  const text = (name: string) => readFileSync(file(name), 'utf8');
  writeFileSync(file('server-and-key.pem'), `${text('server.key')}${text('server.pem')}`);
  return {
    authority: file('authority.pem'),
    server: file('server-and-key.pem'),
    clientCertificate: file('client.pem'),
    clientKey: file('client.key'),
  };
}
