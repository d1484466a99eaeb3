import { createServer } from 'node:http';
import { expect, inject, it } from 'vitest';
import { freePort } from '../../infra/local/claimPort.ts';
import type { Feedback } from '../../services/shared/contracts.ts';
import { readEnvironment } from '../../services/shared/environment.ts';
import { connectSchemaRegistry, wireSchemaId } from '../../services/shared/schemaRegistry.ts';

it('waits for a registry that is away, and takes no record for an incompatible one meanwhile', async () => {
  const real = inject('schemaRegistryUrl');
  const encode = await connectSchemaRegistry(readEnvironment({ SCHEMA_REGISTRY_URL: real })).encoder<Feedback>(
    'Feedback',
    'registry-away',
  );
  const value = encode({ id: '1', model: null, label: 'yes', value: null, time: Date.UTC(2026, 0, 1) });

  const port = await freePort();
  const gateway = createServer(async (request, response) => {
    const answer = await fetch(new URL(request.url!, real));
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  });
  const refused = Promise.withResolvers<void>();
  const schemas = connectSchemaRegistry(
    readEnvironment({ SCHEMA_REGISTRY_URL: `http://127.0.0.1:${port}${new URL(real).pathname}` }),
    () => refused.resolve(),
  );
  const prepared = schemas.prepare('Feedback', [value]);
  await Promise.race([refused.promise, prepared]);
  expect(schemas.resolver('Feedback', wireSchemaId(value)!)).toBeNull();
  gateway.listen(port, '127.0.0.1');
  await prepared;
  expect(schemas.resolver('Feedback', wireSchemaId(value)!)).toMatchObject({ type: expect.anything() });
  await schemas.prepare('Feedback', [Buffer.from([0, 0, 15, 66, 63])]);
  expect(schemas.resolver('Feedback', 999_999)).toBeNull();
  gateway.closeAllConnections();
  gateway.close();
});
