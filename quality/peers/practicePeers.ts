import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installedPeer } from '../../infra/peers/peerEnvironments.ts';
import { runCommand } from '../../infra/python/runCommand.ts';
import { dayMs } from '../../services/shared/duration.ts';
import type { Expectation } from '../streams/expectation.ts';
import type { GeneratedStream, StreamRow } from '../streams/generatedStream.ts';
import { practiceStartMs } from '../streams/practiceStream.ts';

/** The first days of a stream, as many as the windows of the detector's reference at a day. */
export const referenceDays = 10;
/** Days of each stream with a change that are judged before it, at least. */
const minQuietDays = 3;
/** Days that are judged of a stream in which silence is wanted. */
const silentDays = { from: 34, until: 44 };

/** What a peer says about a window of a day. */
export interface PeerWindow {
  day: number;
  /** What was red: a kind, and a name within it, such as drift:amount. */
  red: readonly string[];
}

export interface PeerStream {
  expectation: Expectation;
  /** Days from a prediction to its label. */
  labelDelayDays: number;
  windows: readonly PeerWindow[];
}

export interface PracticePeer {
  name: string;
  version: string;
  streams: readonly PeerStream[];
}

/** A stream that a person's expectation is known of. */
export type ExpectedStream = GeneratedStream & { expectation: Expectation };

/** Runs Evidently and NannyML, installed as they are needed, on streams in windows of a day. */
export async function practicePeers(
  streams: readonly ExpectedStream[],
  onProgress: (what: string) => void,
): Promise<PracticePeer[]> {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-practice-'));
  try {
    for (const stream of streams) {
      onProgress(`writing ${stream.name}`);
      await writeFile(join(folder, `${stream.name}.json`), JSON.stringify(columnsOf(stream)));
    }
    onProgress(`evidently and nannyml judge ${streams.length} streams`);
    return await Promise.all(['evidently', 'nannyml'].map(name => judgedBy(name, folder, streams)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function judgedBy(
  name: string,
  folder: string,
  streams: readonly ExpectedStream[],
): Promise<PracticePeer> {
  const { python, version } = await installedPeer(name);
  const program = join(import.meta.dirname, `practice_${name}.py`);
  const output = await runCommand(python, [program, folder]);
  return { name, version, streams: readStreams(output, streams) };
}

function readStreams(output: string, streams: readonly ExpectedStream[]): PeerStream[] {
  const windowsOf = new Map(
    output
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as { name: string; windows: PeerWindow[] })
      .map(({ name, windows }) => [name, windows]),
  );
  return streams.map(({ name, expectation, labelling }) => ({
    expectation,
    labelDelayDays: (labelling?.delayMs ?? 0) / dayMs,
    windows: windowsOf.get(name)!,
  }));
}

/** Returns the columns of a stream, what they hold, and the days that are to be judged. */
function columnsOf(stream: ExpectedStream) {
  const rows = [...stream.rows()];
  const names = Object.keys(rows[0]!.features);
  const isNumber = (name: string) => typeof rows[0]!.features[name] === 'number';
  const endMs = rows.at(-1)!.timeMs;
  const column = (cellOf: (row: StreamRow) => unknown) => rows.map(cellOf);
  const { rate, delayMs } = stream.labelling ?? { rate: 1, delayMs: 0 };
  const isLabelled = ({ timeMs }: StreamRow) => rate > 0 && timeMs + delayMs <= endMs;
  return {
    referenceDays,
    days: judgedDays(stream),
    numbers: [...names.filter(isNumber), 'score'],
    categories: names.filter(name => !isNumber(name)),
    columns: {
      day: column(({ timeMs }) => Math.floor((timeMs - practiceStartMs) / dayMs)),
      ...Object.fromEntries(
        names.map(name => [name, column(({ features }) => features[name] ?? null)]),
      ),
      score: column(({ score }) => score),
      prediction: column(({ prediction }) => Number(prediction === 'yes')),
      label: column(row => (isLabelled(row) ? Number(row.label === 'yes') : null)),
    },
  };
}

/** Returns the days on which an alarm would be false, some of them, or in time. */
function judgedDays({ expectation, labelling }: ExpectedStream): number[] {
  const { change } = expectation;
  if (!change) return daysBetween(silentDays.from, silentDays.until);
  const onset = Math.floor((change.onsetMs - practiceStartMs) / dayMs);
  const within = Math.ceil((change.withinMs - (labelling?.delayMs ?? 0)) / dayMs);
  return daysBetween(onset - Math.max(minQuietDays, within + 1), onset + within);
}

function daysBetween(from: number, until: number): number[] {
  return Array.from({ length: until - from }, (_, index) => from + index);
}
