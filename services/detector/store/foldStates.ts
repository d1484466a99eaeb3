import { anyOf } from '../../shared/clickhouse/anyOf.ts';
import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import type { PerVersion } from './perVersion.ts';

/** Names the place of a checkpoint. */
export interface StateSlot extends VersionName {
  slot: number;
}

export function foldStates(clickhouse: Clickhouse) {
  return {
    /** Reads one checkpoint of each version, as `PackedStates.text`. */
    async states(wanted: readonly StateSlot[]): Promise<PerVersion<string>> {
      const { sql, parameters } = anyOf(
        wanted,
        ({ model, version, slot }, value) =>
          `model = ${value('String', model)} AND version = ${value('String', version)}
           AND slot = ${value('UInt8', slot)}`,
      );
      const rows = await clickhouse.select<VersionName & { state: string }>(
        `SELECT model, version, state FROM fold_states FINAL WHERE ${sql}`,
        parameters,
      );
      return new Map(rows.map(row => [versionKey(row), row.state]));
    },

    insertStates: (states: readonly (StateSlot & { text: string })[]) =>
      clickhouse.insert(
        'fold_states',
        states.map(({ model, version, slot, text }) => ({ model, version, slot, state: text })),
      ),
  };
}
