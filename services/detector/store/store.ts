import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import { alertRequests } from './alertRequests.ts';
import { alerts } from './alerts.ts';
import { driftEvents } from './driftEvents.ts';
import { driftRequests } from './driftRequests.ts';
import { evaluatedWindows } from './evaluatedWindows.ts';
import { featureKinds } from './featureKinds.ts';
import { foldLedgers } from './foldLedgers.ts';
import { foldStates } from './foldStates.ts';
import { openNotices } from './openNotices.ts';
import { referenceProfiles } from './referenceProfiles.ts';
import { streamProgress } from './streamProgress.ts';
import { volumes } from './volumes.ts';
import { windowTables } from './windowTables.ts';

export type DetectorStore = ReturnType<typeof detectorStore>;

/**
 * The tables that the detector reads and writes, each with its SQL in a file of its own. A query
 * asks for a group of versions at once, and for each version only for what a fold needs from a
 * checkpoint on.
 */
export function detectorStore(clickhouse: Clickhouse) {
  return {
    ...streamProgress(clickhouse),
    ...windowTables(clickhouse),
    ...referenceProfiles(clickhouse),
    ...foldLedgers(clickhouse),
    ...foldStates(clickhouse),
    ...evaluatedWindows(clickhouse),
    ...driftEvents(clickhouse),
    ...alerts(clickhouse),
    ...driftRequests(clickhouse),
    ...alertRequests(clickhouse),
    ...featureKinds(clickhouse),
    ...openNotices(clickhouse),
    ...volumes(clickhouse),
  };
}
