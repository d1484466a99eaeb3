import { expect, it } from 'vitest';
import { freshInstallation } from '../freshInstallation.ts';
import { uniqueName } from '../uniqueName.ts';

it('removes the topics of an installation, but not those of another one whose prefix starts with the same text', async () => {
  const prefix = `${uniqueName()}-`;
  const installation = await freshInstallation({ DRIFTLOOP_TOPIC_PREFIX: prefix });
  const other = await freshInstallation({ DRIFTLOOP_TOPIC_PREFIX: `${prefix}other-` });
  await installation[Symbol.asyncDispose]();
  const left = (await other.admin.listTopics()).filter(topic => topic.startsWith(prefix));
  expect(left).toContain(`${prefix}other-predictions`);
  expect(left.filter(topic => !topic.startsWith(`${prefix}other-`))).toEqual([]);
  await other[Symbol.asyncDispose]();
});
