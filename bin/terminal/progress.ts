/** Elsewhere than on a terminal. */
const secondsBetweenLines = 5;
const secondsBetweenUpdates = 0.2;

export interface Progress {
  /** Prints a line that stays. */
  step(text: string): void;
  /**
   * Replaces the last update on a terminal, and prints a line every few seconds elsewhere. Updates
   * that come more often than that are dropped.
   * @param share of the work that is done, from 0 to 1, where it is known; shown as a bar
   */
  update(text: string, share?: number): void;
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
    update(text, share) {
      if (Date.now() - updatedAtMs < intervalMs) return;
      updatedAtMs = Date.now();
      if (!stream.isTTY) stream.write(`${share === undefined ? '' : percentage(share)}${text}\n`);
      else stream.write(eraseLine + (bar(share) + text).slice(0, stream.columns - 1));
    },
  };
}

const barCells = 24;

/** @example bar(0.5) // '[############            ]  50 % ' */
function bar(share: number | undefined): string {
  if (share === undefined) return '';
  const filled = Math.round(Math.min(share, 1) * barCells);
  return `[${'#'.repeat(filled).padEnd(barCells)}] ${percentage(share)}`;
}

function percentage(share: number): string {
  return `${String(Math.floor(Math.min(share, 1) * 100)).padStart(3)} % `;
}
