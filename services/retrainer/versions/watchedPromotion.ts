import { type AnsweredRequest, championOf, type ModelState } from './modelState.ts';

/**
 * Returns the promotion that made the champion, with the version that it replaced, or null if the
 * champion is there by a rollback, or if its predecessor cannot be gone back to.
 */
export function watchedPromotion(
  state: ModelState,
  answered: readonly AnsweredRequest[],
): { champion: string; predecessor: string } | null {
  const champion = championOf(state);
  const promotion = answered.find(({ sequence }) => sequence === champion?.sequence);
  if (!champion || !promotion || promotion.request.action === 'rollback') return null;
  const replaced = promotion.steps.find(step => step.state === 'superseded')?.version;
  if (replaced === undefined || state.versions.get(replaced)?.state !== 'superseded') return null;
  return { champion: champion.version, predecessor: replaced };
}
