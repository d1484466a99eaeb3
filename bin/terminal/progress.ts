const secondsBetweenLines = 5;
const secondsBetweenUpdates = 0.2;

export interface Progress {
  /** A line that stays. */
  step(text: string): void;
  /** Replaces the last update on a terminal; elsewhere a line every few seconds. Text that is not due is dropped. */
  update(text: string): void;
}

/** Tells a person on standard error how far a command is; standard output is for results. */
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
