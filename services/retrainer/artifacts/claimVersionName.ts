import { safeName } from './modelFolder.ts';
import type { RunOfModel } from './runOfModel.ts';
import { nextVersionName } from './versionName.ts';

/**
 * Gives a run the next free version name, for ever. Replicas of the retrainer train for one model
 * at the same time if it has several causes. A file per name, which only one of them can create,
 * keeps their versions apart. The name of a run that fails later stays unused.
 * @param taken names that predictions or other runs have
 */
export async function claimVersionName(
  champion: string,
  taken: ReadonlySet<string>,
  { artifacts, runId }: Pick<RunOfModel, 'artifacts' | 'runId'>,
): Promise<string> {
  const unavailable = new Set(taken);
  for (;;) {
    const name = nextVersionName(champion, unavailable);
    const file = `names/${safeName(name)}`;
    // It belongs to this run now, or since an earlier attempt.
    if (await artifacts.create(file, runId)) return name;
    if (String(await artifacts.read(file)) === runId) return name;
    unavailable.add(name);
  }
}
