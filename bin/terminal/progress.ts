/** Elsewhere than on a terminal. */
const secondsBetweenLines = 5;
const secondsBetweenUpdates = 0.2;

export interface Progress {
  /** Prints a line that stays. */
  step(text: string): void;
  /**
   * Replaces the last update on a terminal, and prints a line every few seconds elsewhere. Updates
   * that come more often than that are dropped.
   */
  update(text: string): void;
}

/** Shows how far a command is, on standard error: standard output is for results. */
export function startProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const intervalMs = (stream.isTTY ? secondsBetweenUpdates : secondsBetweenLines) * 1000;
  const eraseLine = stream.isTTY ? '\r\x1b[K' : '';
  let updatedAtMs = Date.now();
  return {
    step(text) {
      stream.write(`${eraseLine}${text}\n`);
    },
    update(text) {
      if (Date.now() - updatedAtMs < intervalMs) return;
      updatedAtMs = Date.now();
      stream.write(stream.isTTY ? eraseLine + text.slice(0, stream.columns - 1) : `${text}\n`);
    },
  };
}
