import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { UserError } from '../../services/shared/userError.ts';

/** The known drifts of a stream. Positions are rows. */
export interface Truth {
  /** First row of each drift, in order. */
  starts: readonly number[];
  /** Rows within which a drift must be found. */
  maxDelay: number;
  rows: number;
  /** Alarms before this row do not count. */
  monitoredFrom: number;
}

const schema = z.object({
  dataset: z.string(),
  type: z.string(),
  mode: z.string(),
  max_delay: z.number(),
  rows: z.number().positive(),
  monitor_from: z.number().default(0),
  t0_ms: z.number(),
  step_ms: z.number().positive(),
  label_delay_s: z.number().default(0),
  drifts: z.array(z.object({ start: z.number() })),
});

/** The known drifts of a stream whose rows are evenly spaced in event time. */
export interface StreamTruth extends Truth {
  dataset: string;
  /** Kind of drift that was injected. */
  type: string;
  /** ABRUPT or GRADUAL */
  mode: string;
  /** Rows from a prediction to its label. */
  labelDelay: number;
  /** Returns the row at an event time, as a fraction. */
  rowAt(timeMs: number): number;
}

/** Reads truth.json. @returns null if there is none @throws UserError if it is wrong */
export function readTruth(file: string): StreamTruth | null {
  if (!existsSync(file)) return null;
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new UserError(`${file}: ${(cause as Error).message}`, { cause });
  }
  const { success, data, error } = schema.safeParse(content);
  if (!success)
    throw new UserError(`${file}: ${error.issues[0]!.path.join('.')}: ${error.issues[0]!.message}`);
  const {
    dataset,
    type,
    mode,
    max_delay,
    rows,
    monitor_from,
    t0_ms,
    step_ms,
    label_delay_s,
    drifts,
  } = data;
  return {
    dataset,
    type,
    mode,
    starts: drifts.map(({ start }) => start),
    maxDelay: max_delay,
    rows,
    monitoredFrom: monitor_from,
    labelDelay: (label_delay_s * 1000) / step_ms,
    rowAt: timeMs => (timeMs - t0_ms) / step_ms,
  };
}
