import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/**
 * Returns why a request does not come from a program of this machine, or null. A web page can make a
 * browser send requests to 127.0.0.1: with its own address as Origin, or, when its name was made to
 * lead here, with that name as Host.
 * @param host address at which this server listens
 */
export function foreignRequest(headers: IncomingHttpHeaders, host: string): string | null {
  const { origin, host: asked = '' } = headers;
  const name = asked.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (name !== '' && name !== 'localhost' && name !== host && isIP(name) === 0)
    return `the Host header names ${JSON.stringify(name)}, expected an address or localhost`;
  if (origin !== undefined && origin !== `http://${asked}`)
    return `the request comes from a page of ${JSON.stringify(origin)}`;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return 'the request comes from a page of another site';
  return null;
}
