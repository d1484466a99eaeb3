import type { Clickhouse } from '../clickhouse/clickhouse.ts';
import type { ModelSettings } from '../config/settings.ts';
import { type VersionName, versionKey } from '../versionKey.ts';
import { configuredOutput } from './configuredOutput.ts';
import { decideOutput } from './decideOutput.ts';
import {
  type ReferenceOutputs,
  referenceOutputs,
  type StoredMeaning,
  secondLabel,
} from './meaningStore.ts';

/** Labelled predictions that the meaning of a version's outputs is decided from. */
const referenceRecords = 1_000;
/** Labelled predictions that are searched for a second label. */
const maxSearchedRecords = 20_000;

/**
 * Decides what the outputs of versions mean, from the first labelled predictions of each in event
 * time; by `versionKey`. A version without outcomes is absent.
 */
export async function decideMeanings(
  clickhouse: Clickhouse,
  versions: readonly VersionName[],
  settingsOf: (model: string) => ModelSettings,
): Promise<Map<string, StoredMeaning>> {
  const references = await referencesOf(clickhouse, versions);
  return new Map(
    versions.flatMap(({ model, version }): [string, StoredMeaning][] => {
      const key = versionKey({ model, version });
      const reference = references.get(key);
      if (!reference) return [];
      const { outputs, fromMs, untilMs } = reference;
      const settings = configuredOutput(settingsOf(model));
      const meaning = decideOutput(outputs, settings);
      const records = outputs.length;
      return [[key, { model, version, meaning, records, fromMs, untilMs, settings }]];
    }),
  );
}

/**
 * Reads the first labelled predictions of versions. If all of them have one label, as many are added
 * from the first other label on, because one label says little about the rest.
 */
async function referencesOf(
  clickhouse: Clickhouse,
  versions: readonly VersionName[],
): Promise<Map<string, ReferenceOutputs>> {
  const references = await referenceOutputs(clickhouse, versions, referenceRecords);
  for (const version of versions) {
    const key = versionKey(version);
    const reference = references.get(key);
    const [label, ...others] = new Set(reference?.outputs.map(output => output.label));
    if (reference?.untilMs == null || label === undefined || others.length > 0) continue;
    references.set(key, await withSecondLabel(clickhouse, version, reference, label));
  }
  return references;
}

async function withSecondLabel(
  clickhouse: Clickhouse,
  version: VersionName,
  { outputs, fromMs }: ReferenceOutputs,
  label: string,
): Promise<ReferenceOutputs> {
  const second = await secondLabel(clickhouse, version, label, maxSearchedRecords);
  if (second.firstMs === null) return { outputs, fromMs, untilMs: second.searchedUntilMs };
  const since = [{ ...version, sinceMs: second.firstMs }];
  const later = (await referenceOutputs(clickhouse, since, referenceRecords)).get(
    versionKey(version),
  );
  return {
    outputs: [...outputs, ...(later?.outputs ?? [])],
    fromMs,
    untilMs: later?.untilMs ?? null,
  };
}
