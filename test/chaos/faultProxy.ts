import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';

/** A fault that a request may suffer on its way to a server and back. */
export type Fault =
  /** The client receives 503 with a body that is not the server's, as from a load balancer. */
  | 'unavailable'
  /** The client receives 500 with one of ClickHouse's transient errors. */
  | 'exception'
  /** The client receives 200 with a page that is not the server's, as from a login of a network. */
  | 'garbage'
  /** The request is taken and never answered; the connection stays open. */
  | 'silence'
  /** The request is delayed before it reaches the server. */
  | 'slow'
  /** The connection closes after half of the request body was sent. */
  | 'cut request'
  /** The server carries out the request, but its response does not reach the client. */
  | 'lost response'
  /** The connection closes after half of the response body was sent. */
  | 'cut response';

const exceptions = [
  [241, 'MEMORY_LIMIT_EXCEEDED'],
  [252, 'TOO_MANY_PARTS'],
  [202, 'TOO_MANY_SIMULTANEOUS_QUERIES'],
  [159, 'TIMEOUT_EXCEEDED'],
] as const;
const slowMs = 700;
const maxHeaderSize = 2 * 1024 ** 2;

export type FaultProxy = Awaited<ReturnType<typeof startFaultProxy>>;

/**
 * Starts a proxy between clients and an HTTP server. It forwards everything, except for the
 * requests that `harm` selects.
 * @param answerInstead answers a request in the place of the server and returns true, or returns
 *   false
 */
export async function startFaultProxy(
  server: string,
  answerInstead: (url: string, answer: ServerResponse) => boolean = () => false,
) {
  const upstream = new URL(server);
  const agent = new Agent({ keepAlive: true });
  let harm: { fault: Fault; left: number; done: () => void } | null = null;
  let exceptionNumber = 0;

  /** Returns the fault that this request suffers, or null. */
  function faultOf(message: IncomingMessage): Fault | null {
    if (!harm) return null;
    const { fault } = harm;
    if (fault === 'cut request' && !/INSERT/.test(message.url ?? '')) return null;
    harm.left--;
    if (harm.left === 0) {
      harm.done();
      harm = null;
    }
    return fault;
  }

  async function forward(message: IncomingMessage, answer: ServerResponse): Promise<void> {
    const fault = faultOf(message);
    if (fault === 'unavailable' || fault === 'exception') {
      message.resume();
      return void (fault === 'unavailable' ? answerUnavailable(answer) : answerException(answer));
    }
    if (fault === 'garbage' || fault === 'silence') {
      message.resume();
      if (fault === 'garbage') answer.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>Hi');
      return;
    }
    if (fault === 'slow') await pause(slowMs);
    if (answerInstead(message.url ?? '', answer)) return void message.resume();
    const onward = httpRequest({
      agent,
      host: upstream.hostname,
      port: upstream.port,
      method: message.method,
      path: message.url,
      headers: message.headers,
      maxHeaderSize,
    });
    if (fault === 'cut request') {
      const body = await buffer(message);
      onward.on('error', () => {});
      onward.write(body.subarray(0, body.length / 2), () => {
        onward.destroy();
        answer.destroy();
      });
      return;
    }
    message.pipe(onward);
    message.once('error', () => onward.destroy());
    onward.on('continue', () => answer.writeContinue());
    const [response] = (await once(onward, 'response')) as [IncomingMessage];
    response.once('error', () => answer.destroy());
    if (fault === 'lost response' || fault === 'cut response') {
      const body = await buffer(response);
      if (fault === 'lost response') return void answer.destroy();
      answer.writeHead(response.statusCode!, {
        ...response.headers,
        'content-length': Math.max(1, body.length),
      });
      answer.write(body.subarray(0, body.length / 2), () => answer.destroy());
      return;
    }
    answer.writeHead(response.statusCode!, response.headers);
    response.pipe(answer);
  }

  function answerUnavailable(answer: ServerResponse): void {
    answer
      .writeHead(503, { 'Content-Type': 'text/html' })
      .end('<h1>503 Service Unavailable</h1>\n');
  }

  function answerException(answer: ServerResponse): void {
    const [code, name] = exceptions[exceptionNumber++ % exceptions.length]!;
    answer.writeHead(500, {
      'Content-Type': 'text/plain',
      'X-ClickHouse-Exception-Code': String(code),
    });
    answer.end(`Code: ${code}. DB::Exception: injected. (${name})\n`);
  }

  const listener = createServer(
    { keepAliveTimeout: 30_000, maxHeaderSize, requestTimeout: 0 },
    (message, answer) => {
      // If the server is down, the client sees that the connection closes.
      forward(message, answer).catch(() => answer.destroy());
    },
  );
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const url = new URL(upstream);
  url.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;

  return {
    /** The server's URL with the address of the proxy. */
    url: url.href,
    /**
     * Applies a fault to the next requests that it can affect.
     * @returns the number of requests that it affected within the time
     */
    async harm(fault: Fault, requests: number, withinMs: number): Promise<number> {
      const done = Promise.withResolvers<void>();
      const mine = { fault, left: requests, done: done.resolve };
      harm = mine;
      const patience = new AbortController();
      await Promise.race([
        done.promise,
        pause(withinMs, undefined, { signal: patience.signal }).catch(() => {}),
      ]);
      patience.abort();
      if (harm === mine) harm = null;
      return requests - mine.left;
    },
    async stop(): Promise<void> {
      agent.destroy();
      listener.close();
      listener.closeAllConnections();
    },
  };
}
