import type { WindowObservation } from '../../../services/detector/blocks/windowObservation.ts';
import type {
  AnnouncementPosition,
  FoldLedger,
} from '../../../services/detector/checkpoints/foldLedger.ts';
import type { JudgedWindowRevision } from '../../../services/detector/store/judgedWindow.ts';
import { judgedWindowKey } from '../../../services/detector/store/judgedWindow.ts';
import type { PublishedSince } from '../../../services/detector/store/publishedSince.ts';
import type { DetectorStore } from '../../../services/detector/store/store.ts';
import type { WindowRange } from '../../../services/detector/store/windowRange.ts';
import type { Alert, DriftEvent } from '../../../services/shared/contracts.ts';
import { type VersionName, versionKey } from '../../../services/shared/versionKey.ts';

/** The detector's tables for one version, in memory and with the replacing rules of ClickHouse. */
export interface MemoryTables {
  name: VersionName;
  windows: Map<number, ReadonlyMap<string, WindowObservation>>;
  maxEventTimeMs: number;
  judgedWindows: Map<
    string,
    JudgedWindowRevision & { untilMs: number; startMs: number; status: string }
  >;
  events: Map<string, DriftEvent>;
  alerts: Map<string, Alert>;
  states: Map<number, string>;
  ledger: FoldLedger | null;
  windowsRead: number;
}

export function memoryTables(name: VersionName): MemoryTables {
  return {
    name,
    windows: new Map(),
    maxEventTimeMs: Number.NEGATIVE_INFINITY,
    judgedWindows: new Map(),
    events: new Map(),
    alerts: new Map(),
    states: new Map(),
    ledger: null,
    windowsRead: 0,
  };
}

/**
 * Creates a store in memory.
 * @param beforeWrite awaited before each insert. It throws to simulate a killed process, and waits
 *   to simulate a frozen one.
 */
export function memoryStore(
  tables: MemoryTables,
  beforeWrite: () => Promise<void> = async () => {},
): DetectorStore {
  const key = versionKey(tables.name);
  const one = <T>(value: T | null | undefined) =>
    new Map(value === null || value === undefined ? [] : [[key, value] as const]);
  const startsIn = ({ fromMs, toMs }: WindowRange) =>
    [...tables.windows.keys()]
      .filter(startMs => startMs >= fromMs && startMs <= toMs)
      .sort((a, b) => a - b);
  const named = <T extends { id: string }>(
    rows: Map<string, T>,
    { ids }: PublishedSince,
    holds: (row: T) => boolean,
  ) => new Map([...rows].filter(([id, row]) => holds(row) || ids.includes(id)));
  const replace = <T extends { id: string; revision: number }>(rows: Map<string, T>, row: T) => {
    if (row.revision >= (rows.get(row.id)?.revision ?? 0)) rows.set(row.id, row);
  };
  return {
    progress: async () => one([{ partition: 0, maxEventTimeMs: tables.maxEventTimeMs }]),
    ledgers: async () => one(tables.ledger),
    async insertLedgers(ledgers) {
      if (ledgers.length === 0) return;
      await beforeWrite();
      for (const { ledger } of ledgers) {
        if (!tables.ledger || !isBehind(ledger.position, tables.ledger.position))
          tables.ledger = ledger;
      }
    },
    states: async ([wanted]) => one(tables.states.get(wanted!.slot)),
    async insertStates(states) {
      if (states.length === 0) return;
      await beforeWrite();
      for (const { slot, text } of states) tables.states.set(slot, text);
    },
    async judgedUntilMs([wanted]) {
      const until = [...tables.judgedWindows.values()].filter(
        ({ startMs }) => startMs >= wanted!.fromMs,
      );
      return one(until.length === 0 ? null : Math.max(...until.map(({ untilMs }) => untilMs)));
    },
    windowStarts: async ([range], maxWindows) =>
      one(
        startsIn(range!)
          .slice(0, maxWindows)
          .map(startMs => ({ startMs, profiles: 2 })),
      ),
    async windows([range]) {
      const starts = startsIn(range!);
      tables.windowsRead += starts.length;
      return one(new Map(starts.map(startMs => [startMs, new Map(tables.windows.get(startMs)!)])));
    },
    async labels([range]) {
      const labelled = startsIn(range!).map(startMs => {
        const segments = [...tables.windows.get(startMs)!].flatMap(([segment, { performance }]) =>
          performance ? [[segment, performance] as const] : [],
        );
        return [startMs, new Map(segments)] as const;
      });
      return one(new Map(labelled));
    },
    judgedWindows: async ranges => one(ranges.length === 0 ? null : new Map(tables.judgedWindows)),
    async firstOutdatedMs([range]) {
      const starts = [...tables.judgedWindows.values()]
        .filter(({ startMs, digest }) => startMs >= (range?.fromMs ?? 0) && !digest.includes(' '))
        .map(({ startMs }) => startMs);
      return one(range && starts.length > 0 ? Math.min(...starts) : null);
    },
    referenceIds: async () => new Map(),
    openNotices: async () => new Map(),
    volumes: async () => new Map(),
    acceptances: async () => new Map(),
    versionsWithOpenEvents: async () => [],
    alertActs: async () => new Map(),
    driftAnswer: async () => null,
    insertDriftAnswer: async () => {},
    alertAnswer: async () => null,
    insertAlertAnswer: async () => {},
    alert: async () => null,
    driftEvent: async (_, id) => tables.events.get(id) ?? null,
    givenReference: async () => {
      throw new Error('no version here has a reference');
    },
    driftEvents: async ([wanted]) =>
      one(
        named(
          tables.events,
          wanted!,
          row => row.status === 'open' || row.windowStart > wanted!.sinceMs,
        ),
      ),
    alerts: async ([wanted]) =>
      one(
        named(
          tables.alerts,
          wanted!,
          row => row.state !== 'resolved' || row.openedAtEventTime > wanted!.sinceMs,
        ),
      ),
    async insertJudgedWindows(windows) {
      if (windows.length === 0) return 0;
      await beforeWrite();
      for (const { segment, observation, verdict, revision, digest } of windows) {
        const stored = judgedWindowKey(segment, observation.startMs);
        if (revision < (tables.judgedWindows.get(stored)?.revision ?? 0)) continue;
        const { startMs, endMs: untilMs } = observation;
        tables.judgedWindows.set(stored, {
          revision,
          digest,
          startMs,
          untilMs,
          status: verdict.status,
        });
      }
      return 0;
    },
    insertFeatureKinds: async () => {},
    async insertDriftEvents(events) {
      if (events.length > 0) await beforeWrite();
      for (const event of events) replace(tables.events, event);
    },
    async insertAlerts(alerts) {
      if (alerts.length > 0) await beforeWrite();
      for (const alert of alerts) replace(tables.alerts, alert);
    },
  };
}

function isBehind(left: AnnouncementPosition, right: AnnouncementPosition): boolean {
  return (
    left.announcedAtMs < right.announcedAtMs ||
    (left.announcedAtMs === right.announcedAtMs && left.offset < right.offset)
  );
}
