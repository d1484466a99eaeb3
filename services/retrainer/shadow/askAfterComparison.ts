import type { Logger } from 'pino';
import type { ModelSettings } from '../../shared/config/settings.ts';
import type { VersionRequest } from '../../shared/contracts.ts';
import { deterministicId } from '../../shared/deterministicId.ts';
import { isIdentifierName } from '../../shared/kinds/identifierName.ts';
import type { OutputMeaning } from '../../shared/output/outputMeaning.ts';
import { maturedUntilMs } from '../dataset/maturedUntil.ts';
import { minAnytimeRows } from '../gates/anytimeComparison.ts';
import type { GateRow } from '../gates/gate.ts';
import type { TimeRange } from '../store/labelledRowQueries.ts';
import type { StoredVersion } from '../store/modelVersionTable.ts';
import type { VersionPair } from '../store/shadowQueries.ts';
import type { RetrainerStore } from '../store/store.ts';
import { isBuiltIn } from '../trainer/trainerCodeVersion.ts';
import { loopItself } from '../versions/decideOnVersionRequest.ts';
import { championOf, type ModelState, modelState } from '../versions/modelState.ts';
import { watchedPromotion } from '../versions/watchedPromotion.ts';
import { answerServedRows } from './answerServedRows.ts';
import { type Part, pairedGateRows } from './pairedGateRows.ts';
import { judgeInShadow, judgeInWatch, maxComparedRows } from './servedVerdicts.ts';

export interface ComparisonContext {
  store: Pick<
    RetrainerStore,
    'steps' | 'versions' | 'shadow' | 'labelledRows' | 'datasets' | 'history'
  >;
  log: Logger;
  /**
   * Labelled rows with which versions were compared last. It is lost with the process, which then
   * compares once more.
   */
  comparedRows: Map<string, number>;
}

interface ComparedModel extends ComparisonContext {
  model: string;
  settings: ModelSettings;
  state: ModelState;
  versions: readonly StoredVersion[];
}

/** Windows before a comparison that show which share of labels is usual. */
const windowsBefore = 50;
const pastRows = 2_000;
/** A comparison is made again when there are so many times the rows. */
const growth = 1.05;
/** Pairs of versions of which is remembered with how many rows they were compared. */
const maxPairs = 1_000;

/**
 * Compares the versions of a model on what was served, when labels have come: a challenger in
 * shadow with the champion, and a champion that was promoted lately with its predecessor. All of it
 * is computed from the tables, so it is the same after a restart and in every process.
 * @returns what is asked for as a result, or null. The same request has the same id each time.
 */
export async function askAfterComparison(
  model: string,
  settings: ModelSettings,
  context: ComparisonContext,
): Promise<VersionRequest | null> {
  const answered = await context.store.steps.selectAnswered(model);
  if (answered.every(({ steps }) => steps.length === 0)) return null;
  const versions = await context.store.versions.selectVersions(model);
  const trained = versions.map(version => version.trained);
  const state = modelState(trained, answered);
  const compared = { ...context, model, settings, state, versions };
  const request =
    (await askAboutShadow(compared)) ??
    (await askAboutWatch(compared, watchedPromotion(state, answered)));
  // A request that was refused is not repeated.
  return answered.some(earlier => earlier.request.id === request?.id) ? null : request;
}

async function askAboutShadow(compared: ComparedModel): Promise<VersionRequest | null> {
  const { model, state, versions, store, settings } = compared;
  const known = [...state.versions.values()].find(one => one.state === 'shadow');
  const stored = versions.find(({ facts }) => facts.version === known?.version);
  if (!stored) return null;
  const { version: shadow, datasetId, causeType, verdict } = stored.facts;
  const served = championOf(state)?.version ?? stored.trained.championVersion;
  const trainedUntilMs = await store.datasets.selectEnd(model, datasetId);
  if (trainedUntilMs === null) return null;
  // What a version has learned from says nothing about it.
  const pair = { model, served, shadow };
  const toMs = await store.shadow.selectLabelledUntil(pair);
  const range = { fromMs: trainedUntilMs + 1, toMs };
  const result = await rowsOf(compared, pair, range, 'shadow');
  if (result === null) return null;
  const { rows, meaning } = result;
  const past = await store.shadow.selectLabelsBefore(pair, range.fromMs, meaning, pastRows);
  // The gates count what versions that passed them may have lost; of others nobody does.
  const rule = causeType === 'schedule' && verdict === 'promote' ? 'not-worse' : 'better';
  const { action, note } = judgeInShadow({ task: meaning.task, rows, settings }, past, rule);
  if (action === null) return null;
  return requestOf(compared, { action, version: shadow, note });
}

async function askAboutWatch(
  compared: ComparedModel,
  promotion: { champion: string; predecessor: string } | null,
): Promise<VersionRequest | null> {
  const { model, settings, store } = compared;
  const { watchMs } = settings.retraining;
  if (promotion === null || watchMs === 0) return null;
  const pair = { model, served: promotion.champion, shadow: promotion.predecessor };
  const labelledUntilMs = await store.shadow.selectLabelledUntil(pair);
  const fromMs = await store.history.selectFirstEventTime(model, promotion.champion);
  // Labels that come later than that are too late for a rollback without a person.
  if (fromMs === 0 || labelledUntilMs > fromMs + 2 * watchMs) return null;
  const range = { fromMs, toMs: Math.min(labelledUntilMs, fromMs + watchMs) };
  const result = await rowsOf(compared, pair, range, 'served');
  if (result === null) return null;
  const { rows, meaning } = result;
  const { action, note } = judgeInWatch({ task: meaning.task, rows, settings });
  if (action === null) return null;
  return requestOf(compared, { action, version: promotion.predecessor, note });
}

/** Returns the rows whose labels have matured, or null if there are too few. */
async function rowsOf(
  { store, settings, versions, log, comparedRows }: ComparedModel,
  pair: VersionPair,
  range: TimeRange,
  challenger: Part,
): Promise<{ rows: GateRow[]; meaning: OutputMeaning } | null> {
  const { labelledRows } = store;
  const { model, served } = pair;
  const { windowSizeMs } = settings;
  const since = { model, versions: [served], changedAtMs: range.fromMs };
  if (range.fromMs >= range.toMs) return null;
  const rows = Math.min(maxComparedRows, await labelledRows.countSince(since, range.toMs));
  const key = JSON.stringify(pair);
  const rowsToWaitFor = Math.max(minAnytimeRows, growth * (comparedRows.get(key) ?? 0));
  if (rows < Math.min(rowsToWaitFor, maxComparedRows) || comparedRows.get(key) === rows)
    return null;
  const artifact = versions.find(({ facts }) => facts.version === pair.shadow)?.facts;
  const answers = await store.shadow.countAnswers(pair);
  const canAnswer = artifact !== undefined && isBuiltIn(artifact.codeVersion);
  if (answers === 0 && !canAnswer) return null;
  const meaning = await labelledRows.selectMeaning(model, served, settings);
  if (!meaning?.comparable) return null;
  const earlier = { ...range, fromMs: Math.max(0, range.fromMs - windowsBefore * windowSizeMs) };
  const coverage = await labelledRows.selectCoverage(model, earlier, windowSizeMs);
  const matured = { ...range, toMs: Math.min(range.toMs, maturedUntilMs(coverage)) };
  if (canAnswer && answers < maxComparedRows) {
    const context = { shadow: store.shadow, log };
    await answerServedRows(pair, matured, maxComparedRows - answers, artifact, context);
  }
  const { number, text } = await labelledRows.selectFeatureNames(model, matured);
  const identifiers = [...number, ...text].filter(isIdentifierName);
  const options = { identifiers, rows: maxComparedRows };
  const pairs = await store.shadow.selectPaired(pair, matured, meaning, options);
  if (comparedRows.size >= maxPairs) comparedRows.clear();
  comparedRows.set(key, rows);
  if (pairs.length < minAnytimeRows) return null;
  return { rows: pairedGateRows(pairs, meaning, challenger), meaning };
}

function requestOf(
  { model, state }: ComparedModel,
  asked: Pick<VersionRequest, 'action' | 'version' | 'note'>,
): VersionRequest {
  const champion = championOf(state)?.version ?? null;
  const { action, version } = asked;
  return {
    id: deterministicId('comparison', model, action, version ?? '', champion ?? ''),
    model,
    expectedChampion: champion,
    requestedBy: loopItself,
    time: Date.now(),
    ...asked,
  };
}
