import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { freshInstallation } from '../freshInstallation.ts';

it('an installation that ends takes only its own topics along, not those of one whose prefix begins like its own', async () => {
  const prefix = `installation_${randomBytes(6).toString('hex')}-`;
  const installation = await freshInstallation({ DRIFTLOOP_TOPIC_PREFIX: prefix });
  const other = await freshInstallation({ DRIFTLOOP_TOPIC_PREFIX: `${prefix}other-` });
  await installation[Symbol.asyncDispose]();
  const left = (await other.admin.listTopics()).filter(topic => topic.startsWith(prefix));
  expect(left).toContain(`${prefix}other-predictions`);
  expect(left.filter(topic => !topic.startsWith(`${prefix}other-`))).toEqual([]);
  await other[Symbol.asyncDispose]();
});
