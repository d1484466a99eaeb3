import Fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';

/**
 * Creates the HTTP server of a service: /live answers while the process does, /ready answers 200 or
 * 503 with the reason, /metrics answers in the format of Prometheus.
 * @param unreadyReason asked at each request; null when the service is ready
 */
export function healthServer(
  registry: Registry,
  unreadyReason: () => string | null,
): FastifyInstance {
  const server = Fastify();
  server.get('/live', async () => ({ status: 'ok' }));
  server.get('/ready', async (_, reply) => {
    const reason = unreadyReason();
    return reason === null ? { status: 'ok' } : reply.code(503).send({ status: 'unready', reason });
  });
  server.get('/metrics', async (_, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  return server;
}
