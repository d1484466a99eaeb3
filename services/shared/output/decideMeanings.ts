import type { Clickhouse } from '../clickhouse/clickhouse.ts';
import type { ModelSettings } from '../config/settings.ts';
import { type VersionName, versionKey } from '../versionKey.ts';
import { configuredOutput } from './configuredOutput.ts';
import { decideOutput } from './decideOutput.ts';
import { type ReferenceOutputs, referenceOutputs, type StoredMeaning } from './meaningStore.ts';

/** Labelled predictions that the meaning of a version's outputs is decided from. */
const referenceRecords = 1_000;

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
  const ofOneLabel = versions.flatMap(version => {
    const reference = references.get(versionKey(version));
    const [label, ...others] = new Set(reference?.outputs.map(output => output.label));
    return reference?.untilMs != null && label !== undefined && others.length === 0
      ? [{ ...version, afterLabel: label }]
      : [];
  });
  if (ofOneLabel.length === 0) return references;
  const later = await referenceOutputs(clickhouse, ofOneLabel, referenceRecords);
  for (const version of ofOneLabel) {
    const key = versionKey(version);
    const { outputs, fromMs } = references.get(key)!;
    const added = later.get(key);
    references.set(key, {
      outputs: [...outputs, ...(added?.outputs ?? [])],
      fromMs,
      untilMs: added?.untilMs ?? null,
    });
  }
  return references;
}
