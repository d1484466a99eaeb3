import { expect, it } from 'vitest';
import { freshInstallation } from '../freshInstallation.ts';
import { uniqueName } from '../uniqueName.ts';

it('an installation that ends removes its own topics, but not those of another whose prefix starts with its prefix', async () => {
  const prefix = `${uniqueName()}-`;
  const installation = await freshInstallation({ DRIFTLOOP_TOPIC_PREFIX: prefix });
  const other = await freshInstallation({ DRIFTLOOP_TOPIC_PREFIX: `${prefix}other-` });
  await installation[Symbol.asyncDispose]();
  const left = (await other.admin.listTopics()).filter(topic => topic.startsWith(prefix));
  expect(left).toContain(`${prefix}other-predictions`);
  expect(left.filter(topic => !topic.startsWith(`${prefix}other-`))).toEqual([]);
  await other[Symbol.asyncDispose]();
});
