import type { Costs } from '../../shared/model/costs.ts';
import type { Task } from '../../shared/task.ts';
import { judgeCalibration } from './calibrationGate.ts';
import { judgeClasses } from './classGates.ts';
import {
  compared,
  entitiesOf,
  type Gate,
  type GateOutcome,
  type GateRow,
  gate,
  gateOutcomes,
  share,
  shown,
  weightsOf,
} from './gate.ts';
import {
  decisiveLosses,
  type Losses,
  lossDifference,
  type PastLabel,
  predictionLosses,
} from './losses.ts';
import { effectiveValues, meanInterval, minValues, weightedMean } from './meanInterval.ts';
import { judgeSegments } from './segmentGates.ts';

/** What the gates say of a challenger. */
export interface GateDecision {
  verdict: Verdict;
  status: 'approved' | 'rejected';
  /** One text per gate with its result and its numbers. The gate that decided is first. */
  reasons: string[];
  metrics: Record<string, number>;
}

export type Verdict = 'promote' | 'reject' | 'inconclusive' | 'not_evaluable';

/** What the gates know beside the gate rows. */
export interface GateContext {
  /** Labels of the rows before the gate rows, the oldest first, which constants are taken from. */
  past?: readonly PastLabel[];
  /** What is asked of the challenger: to be better than the champion, or not to be worse. */
  rule?: 'better' | 'not-worse';
  /**
   * Mean error or absolute error of the champion before the change. The challenger has to come near
   * it, and otherwise more rows are waited for. Null where it is not known, or is not asked for.
   */
  lossBeforeChange?: number | null;
  /**
   * Part of the margin that the champion and the versions before it have used up, from 0 on. Each of
   * them may have been a little worse than the one before, and together they may not be worse by
   * more than the margin.
   */
  marginUsed?: number;
  /** settings.output.costs */
  costs?: Costs | undefined;
}

export const minGateRows = minValues;
const level = 0.95;
const minProbability = 1e-15;
/** How far the loss may lie above that before the change, relative to it and for error rates. */
const reachShare = 0.25;
const reachOfErrorRate = 0.02;

const verdicts: Readonly<Record<GateOutcome, Verdict>> = {
  passed: 'promote',
  inconclusive: 'inconclusive',
  failed: 'reject',
  not_evaluable: 'not_evaluable',
};

/**
 * Decides whether a challenger may replace the champion.
 * @param rows the newest rows in the order of event time, on none of which the challenger was
 * trained or stopped
 * @param segmentNames settings.segments
 */
export function judgeChallenger(
  task: Task,
  rows: readonly GateRow[],
  segmentNames: readonly string[],
  context: GateContext = {},
): GateDecision {
  const gates = passGates(task, rows, segmentNames, context);
  const outcome = gateOutcomes.findLast(name => gates.some(found => found.outcome === name))!;
  const decisive =
    gates.find(found => found.outcome === outcome && found.decides) ??
    gates.find(found => found.outcome === outcome)!;
  const metrics = Object.assign({ gateRows: rows.length }, ...gates.map(found => found.metrics));
  const verdict = verdicts[outcome];
  return {
    verdict,
    status: verdict === 'promote' ? 'approved' : 'rejected',
    reasons: [decisive, ...gates.filter(found => found !== decisive)].map(({ reason }) => reason),
    // Losses that overflow say nothing, and JSON cannot carry them.
    metrics: Object.fromEntries(
      Object.entries<number>(metrics).filter(([, value]) => Number.isFinite(value)),
    ),
  };
}

/** Passes the gates in their order, up to one that makes the others meaningless. */
function passGates(
  task: Task,
  rows: readonly GateRow[],
  segmentNames: readonly string[],
  { past = [], rule = 'better', lossBeforeChange = null, marginUsed = 0, costs }: GateContext,
): Gate[] {
  const size = judgeSize(rows);
  if (size.outcome !== 'passed') return [size];
  const losses = decisiveLosses(task, rows, past, costs);
  const outputs =
    task === 'regression' ? judgeNumbers(losses.challenger) : judgeProbabilities(rows);
  if (outputs.outcome !== 'passed') return [size, outputs];
  const ofPredictions = predictionLosses(task, rows, past);
  return [
    size,
    outputs,
    compareLosses(losses, rule, marginUsed),
    // Costs say by themselves how many errors of one kind are worth one of another kind.
    ...judgeConstants(losses, costs ? losses : ofPredictions),
    ...(costs
      ? []
      : [
          ...judgePredictions(losses, ofPredictions),
          ...judgeClasses(task, rows, past),
          ...judgeReach(task, rows, lossBeforeChange),
        ]),
    ...judgeCalibration(task, rows),
    ...judgeSegments(rows, losses, segmentNames),
  ];
}

/** Weighted rows are as many as rows without weights that tell as much. */
function judgeSize(rows: readonly GateRow[]): Gate {
  const weights = weightsOf(rows);
  const effective = Math.floor(effectiveValues(rows, weights));
  const passed = effective >= minGateRows;
  const asMuch = weights === null ? '' : `, which by their weights tell as much as ${effective}`;
  return gate(
    passed ? 'passed' : 'not_evaluable',
    'Gate rows',
    `${rows.length} rows can be compared${asMuch}, ${passed ? 'and' : 'but'} at least ${minGateRows} are needed.`,
  );
}

function judgeNumbers(challengerLosses: readonly number[]): Gate {
  const rows = challengerLosses.length;
  const broken = challengerLosses.filter(value => !Number.isFinite(value)).length;
  return broken === 0
    ? gate('passed', 'Outputs', `The challenger gave a finite number for each of ${rows} rows.`)
    : gate(
        'failed',
        'Outputs',
        `The challenger gave no finite number for ${broken} of ${rows} rows.`,
      );
}

function judgeProbabilities(rows: readonly GateRow[]): Gate {
  const given = rows.filter(row => row.challenger.probabilities !== null);
  if (given.length === 0)
    return { outcome: 'passed', reason: 'Probabilities: not checked. The challenger gives none.' };
  const losses = given.map(
    row => -Math.log(Math.max(minProbability, row.challenger.probabilities![row.truth.label] ?? 0)),
  );
  const logLoss = weightedMean(losses, weightsOf(given));
  const valid = given.every(row =>
    Object.values(row.challenger.probabilities!).every(value => value >= 0 && value <= 1),
  );
  const judged =
    valid && Number.isFinite(logLoss)
      ? gate('passed', 'Probabilities', `The challenger's log-loss is ${shown(logLoss)}.`)
      : gate('failed', 'Probabilities', 'The challenger gave probabilities outside 0 to 1.');
  return { ...judged, metrics: { challengerLogLoss: logLoss } };
}

/**
 * Compares the models in pairs: by the mean over the rows of the champion's loss minus the
 * challenger's.
 */
function compareLosses(losses: Losses, rule: 'better' | 'not-worse', marginUsed: number): Gate {
  const { name, champion, challenger, weights, margin } = losses;
  const rows = champion.length;
  const brokenChampion = champion.filter(value => !Number.isFinite(value)).length;
  if (brokenChampion > 0)
    return {
      outcome: 'not_evaluable',
      reason:
        'Comparison: inconclusive. ' +
        `The champion logged no finite number for ${brokenChampion} of ${rows} rows.`,
    };
  const interval = lossDifference(losses, champion, challenger, level);
  const championLoss = weightedMean(champion, weights);
  const challengerLoss = weightedMean(challenger, weights);
  const marginLeft = margin * Math.max(0, 1 - marginUsed);
  const passed = rule === 'better' ? interval.low > 0 : interval.low >= -marginLeft;
  const worst = rule === 'better' ? 0 : -marginLeft;
  const outcome = passed ? 'passed' : interval.high < worst ? 'failed' : 'inconclusive';
  const asked =
    rule === 'better'
      ? ''
      : ` By the age of the champion, up to ${shown(marginLeft)} higher passes` +
        `${marginUsed > 0 ? `, because earlier versions have used ${share(marginUsed)} of ${shown(margin)}` : ''}.`;
  return {
    ...gate(
      outcome,
      'Comparison',
      `On the same ${rows} rows, the challenger's ${name} is ${shown(challengerLoss)} ` +
        `and the champion's is ${shown(championLoss)}. ` +
        `The challenger's is ${compared(interval, level)}.${asked}`,
    ),
    decides: true,
    metrics: {
      championLoss,
      challengerLoss,
      difference: interval.mean,
      intervalLow: interval.low,
      intervalHigh: interval.high,
      blocks: interval.blocks,
      marginUsed: margin > 0 ? Math.max(0, marginUsed - interval.mean / margin) : marginUsed,
    },
  };
}

/**
 * Requires that the challenger is better than the best constant: by the loss that decides, or by its
 * predictions while that loss leaves it open. In a world that changes, probabilities that are too
 * sure cost much on a few rows, which says little on the many others.
 */
function judgeConstants(losses: Losses, ofPredictions: Losses): Gate[] {
  const decisive = comparedWithConstant(losses);
  if (decisive === null) return [];
  const { best, interval, sentence } = decisive;
  const isOpen = interval.low <= 0 && interval.mean > 0 && losses.name !== ofPredictions.name;
  const predictions = isOpen ? comparedWithConstant(ofPredictions) : null;
  const isBetterByPredictions = predictions !== null && predictions.interval.low > 0;
  const outcome =
    interval.low > 0 || isBetterByPredictions
      ? 'passed'
      : interval.high < 0
        ? 'failed'
        : 'inconclusive';
  const sentences = isBetterByPredictions ? `${sentence} ${predictions.sentence}` : sentence;
  return [{ ...gate(outcome, 'Constant', sentences), metrics: { constantLoss: best } }];
}

/** Compares the challenger with the best constant; null if none is known. */
function comparedWithConstant(losses: Losses) {
  const { constants, challenger, weights, name } = losses;
  const [best] = constants
    .map(constant => ({ ...constant, mean: weightedMean(constant.losses, weights) }))
    .sort((one, other) => one.mean - other.mean);
  if (best === undefined) return null;
  const interval = lossDifference(losses, best.losses, challenger, level);
  const sentence =
    `A model that always answers ${best.name} has a ${name} of ${shown(best.mean)}. ` +
    `The challenger's is ${compared(interval, level)}.`;
  return { best: best.mean, interval, sentence };
}

/**
 * Where probabilities decide, requires that predictions are not worse: neither than the champion's,
 * nor than a constant.
 */
function judgePredictions(decisive: Losses, losses: Losses): Gate[] {
  if (decisive.name === losses.name) return [];
  const { champion, challenger, weights, name, margin, constants } = losses;
  const others = [
    { name: "the champion's", losses: champion },
    ...constants.map(constant => ({ ...constant, name: `that of ${constant.name}` })),
  ];
  const gates = others.map(other => {
    const interval = lossDifference(losses, other.losses, challenger, level);
    return gate(
      interval.high < -margin ? 'failed' : 'passed',
      'Predictions',
      `The challenger's ${name} is ${shown(weightedMean(challenger, weights))}. Compared with ` +
        `${other.name}, it is ${compared(interval, level)}.`,
    );
  });
  const worst = gates.find(({ outcome }) => outcome === 'failed') ?? gates[0]!;
  const metrics = {
    championErrorRate: weightedMean(champion, weights),
    challengerErrorRate: weightedMean(challenger, weights),
  };
  return [{ ...worst, metrics }];
}

/**
 * Asks for more rows while the challenger is far from what the champion once was: clearly, or by
 * twice as much whatever chance does.
 */
function judgeReach(task: Task, rows: readonly GateRow[], lossBeforeChange: number | null): Gate[] {
  if (lossBeforeChange === null) return [];
  const { challenger } = predictionLosses(task, rows, []);
  const interval = meanInterval(challenger, level, weightsOf(rows), entitiesOf(rows));
  const isRate = task !== 'regression';
  const allowed = Math.max(reachShare * lossBeforeChange, isRate ? reachOfErrorRate : 0);
  const limit = lossBeforeChange + allowed;
  const name = isRate ? 'error rate' : 'mean absolute error';
  const isNear = interval.low <= limit && interval.mean <= limit + allowed;
  return [
    {
      ...gate(
        isNear ? 'passed' : 'inconclusive',
        'Reach',
        `The challenger's ${name} is ${shown(interval.mean)}, at least ${shown(interval.low)}. ` +
          `Before the change the champion's was ${shown(lossBeforeChange)}. Near enough is up to ` +
          `${shown(limit)}, and by chance up to ${shown(limit + allowed)}.` +
          (isNear ? '' : ' More rows may teach more.'),
      ),
      metrics: { lossBeforeChange },
    },
  ];
}
