/** What the year of one model has shown. Losses are means over all predictions of the year. */
export interface YearOfModel {
  world: string;
  /** Whether the loop has to win half of what the oracle wins. */
  isMended: boolean;
  lossNever: number;
  lossLoop: number;
  lossOracle: number;
  trainings: number;
  promotions: Promotion[];
  /** Drift events that are open on the last day. */
  openEvents: { id: string; cause: string }[];
  /** Losses of the model that serves at the end, and of the oracle, on new rows of the last day. */
  lossAtEnd: number;
  lossOfOracleAtEnd: number;
}

/** A version that has become the champion, with losses on new rows of that day. */
export interface Promotion {
  day: number;
  version: string;
  loss: number;
  /** Loss of the best answer that is always the same. */
  lossOfConstant: number;
  lossOfPredecessor: number;
}

/** A model is as good as the oracle, so that nothing is left to mend, up to this much more loss. */
const harmlessShare = 0.1;
/** Where nothing can be won, chance may cost this share of the loss of version 1. */
const lossOfChance = 0.02;

/**
 * Returns the share of what the oracle wins that the loop has lost: 0 where it is as good as the
 * oracle, and 1 where it is as bad as version 1 alone.
 */
export function lostShare({ lossNever, lossLoop, lossOracle }: YearOfModel): number {
  return (lossLoop - lossOracle) / (lossNever - lossOracle);
}

/** Returns what is left of the harm at the end, as a share of the loss of the oracle. */
export function harmAtEnd({ lossAtEnd, lossOfOracleAtEnd }: YearOfModel): number {
  return lossAtEnd / lossOfOracleAtEnd - 1;
}

/** Says which promises of the loop were broken, one sentence each. */
export function brokenPromises(year: YearOfModel): string[] {
  const { world, isMended, lossNever, lossLoop, promotions, openEvents } = year;
  const broken: string[] = [];
  const lost = lostShare(year);
  if (isMended && !(lost <= 0.5))
    broken.push(
      `${world}: the loop has lost ${percent(lost)} of what an oracle wins (at most 50 %).`,
    );
  if (!isMended && lossLoop > lossNever * (1 + lossOfChance))
    broken.push(
      `${world}: the loss with the loop is ${lossLoop.toFixed(4)}, and ` +
        `${lossNever.toFixed(4)} without it.`,
    );
  for (const { day, version, loss, lossOfConstant } of promotions)
    if (loss >= lossOfConstant)
      broken.push(
        `${world}: version ${version}, promoted on day ${day}, has the loss ${loss.toFixed(4)}, ` +
          `and a constant ${lossOfConstant.toFixed(4)}.`,
      );
  if (harmAtEnd(year) <= harmlessShare)
    for (const { id, cause } of openEvents)
      broken.push(`${world}: event ${id} (${cause}) is open at the end, although no harm is left.`);
  return broken;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
