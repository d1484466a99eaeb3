import { clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import type { VersionName } from '../../shared/versionKey.ts';
import type { FoldLedger } from '../checkpoints/foldLedger.ts';

/** A row of fold_ledgers as it is read: times in ms, checkpoints and settings side by side. */
export interface LedgerRow extends VersionName {
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
  `arrayMap(time -> toUnixTimestamp64Milli(time), fold_ledgers.${column}) AS ${column}`;

/** Columns of a `LedgerRow`. */
export const ledgerColumns = `model, version, window_size_ms, toUnixTimestamp64Milli(fold_ledgers.announced_at) AS announced_at, announced_offset,
  algorithm, reference_id, ${timesInMs('checkpoint_starts')}, checkpoint_ordinals, checkpoint_slots, checkpoint_digests,
  ${timesInMs('settings_from')}, settings`;

export function toLedgerRow({ model, version }: VersionName, ledger: FoldLedger): object {
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

export function fromLedgerRow(row: LedgerRow): FoldLedger {
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
