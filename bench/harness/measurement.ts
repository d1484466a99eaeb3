import type { BenchServers } from './benchServers.ts';

/**
 * One round of a measurement. The baseline is measured right before or after it on the same
 * machine.
 */
export interface Round {
  value: number;
  /** null: the figure is not compared. */
  baseline: number | null;
}

/** Limit for the ratio of a line to its baseline or, if it has no baseline, for its value. */
export type Target = { atLeast: number } | { atMost: number };

/** One line of the table. */
export interface Line {
  /** Says what was measured, and against what. */
  name: string;
  unit: string;
  rounds: readonly Round[];
  target: Target | null;
  /** Tells more about the figure, such as the shares of service and ClickHouse. */
  note?: string;
}

export interface BenchContext {
  /** Use small sizes, which show that everything runs. The figures mean little. */
  quick: boolean;
  /** Starts Kafka, the registry and ClickHouse at the first call. */
  servers(): Promise<BenchServers>;
  onProgress(line: string): void;
}

export interface Measurement {
  /** Name for the option --only. */
  name: string;
  run(context: BenchContext): Promise<Line[]>;
}
