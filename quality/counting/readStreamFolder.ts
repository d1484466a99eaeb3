import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readLines } from '../../bin/replay/readLines.ts';
import { checkFeedback, checkPrediction } from '../../services/shared/records/checkRecord.ts';
import {
  type ContractName,
  type DecodedContracts,
  decodeRecord,
  type Rejection,
} from '../../services/shared/records/decodeRecord.ts';
import { UserError } from '../../services/shared/userError.ts';
import { type WindowedStream, windowCounter } from './windowCounter.ts';

/** Numbers of records that the services would send to dead-letters, by class. */
export type Rejected = Map<string, number>;

/** Returns the path of a file of a stream, plain or gzip, or null if there is none. */
export function streamFile(folder: string, name: 'predictions' | 'feedback'): string | null {
  return (
    [`${name}.jsonl.gz`, `${name}.jsonl`]
      .map(file => join(folder, file))
      .find(file => existsSync(file)) ?? null
  );
}

/**
 * Decodes and counts the records in the folder of a stream as the services would.
 * @throws UserError if the folder has no predictions or a file cannot be read
 */
export async function readStreamFolder(
  folder: string,
  windowSizeMs: number,
): Promise<{ streams: WindowedStream[]; rejected: Rejected }> {
  const counter = windowCounter(windowSizeMs);
  const rejected: Rejected = new Map();
  const predictions = streamFile(folder, 'predictions');
  if (!predictions)
    throw new UserError(`${folder}: has no predictions.jsonl or predictions.jsonl.gz`);
  await eachRecord(predictions, 'Prediction', checkPrediction, rejected, counter.addPrediction);
  const feedback = streamFile(folder, 'feedback');
  if (feedback)
    await eachRecord(feedback, 'Feedback', checkFeedback, rejected, counter.addFeedback);
  return { streams: counter.streams(), rejected };
}

async function eachRecord<Name extends ContractName>(
  file: string,
  contract: Name,
  check: (value: DecodedContracts[Name], nowMs: number) => Rejection | null,
  rejected: Rejected,
  use: (value: DecodedContracts[Name]) => void,
): Promise<void> {
  const noSchemas = { resolver: () => null };
  const record = { topic: '', partition: 0, offset: 0, key: null, headers: {}, timestampMs: 0 };
  const nowMs = Date.now();
  for await (const lines of readLines(file)) {
    for (const value of lines) {
      const decoded = decodeRecord({ ...record, value }, contract, noSchemas);
      const rejection = decoded.rejection ?? check(decoded.value, nowMs);
      if (rejection) rejected.set(rejection.class, (rejected.get(rejection.class) ?? 0) + 1);
      else use(decoded.value!);
    }
  }
}
