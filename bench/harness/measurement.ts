import type { BenchServers } from './benchServers.ts';

/** One round of a measurement: the figure, and what it is compared with, taken right before or after it on the same machine. */
export interface Round {
  value: number;
  /** null: the figure stands for itself. */
  baseline: number | null;
}

/** What a line has to reach: its ratio to the baseline where it has one, else its value. */
export type Target = { atLeast: number } | { atMost: number };

/** One line of the table. */
export interface Line {
  /** What was measured, against what. */
  name: string;
  unit: string;
  rounds: readonly Round[];
  target: Target | null;
  /** What a reader has to know beside the figure, such as the shares of service and ClickHouse. */
  note?: string;
}

export interface BenchContext {
  /** Small sizes that show that everything runs; their figures say little. */
  quick: boolean;
  /** Starts Kafka, registry and ClickHouse the first time it is called. */
  servers(): Promise<BenchServers>;
  onProgress(line: string): void;
}

export interface Measurement {
  /** For --only. */
  name: string;
  run(context: BenchContext): Promise<Line[]>;
}
