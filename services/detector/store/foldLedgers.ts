import { type Clickhouse, clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import type { FoldLedger } from '../checkpoints/foldLedger.ts';
import { ofVersions, type PerVersion } from './perVersion.ts';
import { msOf } from './sqlTime.ts';

type LedgerOfVersion = VersionName & { ledger: FoldLedger };

/** A row of fold_ledgers as it is read: times in ms, checkpoints and settings as parallel lists. */
interface LedgerRow extends VersionName {
  window_size_ms: number;
  announced_at: number;
  announced_offset: number;
  algorithm: string;
  reference_id: string;
  checkpoint_starts: number[];
  checkpoint_ordinals: number[];
  checkpoint_slots: number[];
  checkpoint_digests: string[];
  settings_from: number[];
  settings: string[];
}

const timesInMs = (column: string) =>
  `arrayMap(time -> ${msOf('time')}, fold_ledgers.${column}) AS ${column}`;

const ledgerColumns = `model, version, window_size_ms,
  ${msOf('fold_ledgers.announced_at')} AS announced_at, announced_offset, algorithm, reference_id,
  ${timesInMs('checkpoint_starts')}, checkpoint_ordinals, checkpoint_slots, checkpoint_digests,
  ${timesInMs('settings_from')}, settings`;

export function foldLedgers(clickhouse: Clickhouse) {
  return {
    async ledgers(names: readonly VersionName[]): Promise<PerVersion<FoldLedger>> {
      const { sql, parameters } = ofVersions(names);
      const rows = await clickhouse.select<LedgerRow>(
        `SELECT ${ledgerColumns} FROM fold_ledgers FINAL WHERE ${sql}`,
        parameters,
      );
      return new Map(rows.map(row => [versionKey(row), fromRow(row)]));
    },

    insertLedgers: (ledgers: readonly LedgerOfVersion[]) =>
      clickhouse.insert('fold_ledgers', ledgers.map(toRow)),
  };
}

function toRow({ model, version, ledger }: LedgerOfVersion): object {
  const { windowSizeMs, position, algorithm, referenceId, checkpoints, settings } = ledger;
  return {
    model,
    version,
    window_size_ms: windowSizeMs,
    announced_at: clickhouseTime(position.announcedAtMs),
    announced_offset: position.offset,
    algorithm,
    reference_id: referenceId ?? '',
    checkpoint_starts: checkpoints.map(({ windowStartMs }) => clickhouseTime(windowStartMs)),
    checkpoint_ordinals: checkpoints.map(({ ordinal }) => ordinal),
    checkpoint_slots: checkpoints.map(({ slot }) => slot),
    checkpoint_digests: checkpoints.map(({ digest }) => digest),
    settings_from: settings.map(({ fromMs }) => clickhouseTime(fromMs)),
    settings: settings.map(({ detection }) => JSON.stringify(detection)),
  };
}

function fromRow(row: LedgerRow): FoldLedger {
  return {
    windowSizeMs: row.window_size_ms,
    position: { announcedAtMs: row.announced_at, offset: row.announced_offset },
    algorithm: row.algorithm,
    referenceId: row.reference_id === '' ? null : row.reference_id,
    checkpoints: row.checkpoint_starts.map((windowStartMs, index) => ({
      windowStartMs,
      ordinal: row.checkpoint_ordinals[index]!,
      slot: row.checkpoint_slots[index]!,
      digest: row.checkpoint_digests[index]!,
    })),
    settings: row.settings_from.map((fromMs, index) => ({
      fromMs,
      detection: JSON.parse(row.settings[index]!),
    })),
  };
}
