/**
 * Replaces the line of progress on a terminal; an empty line removes it. Elsewhere it prints
 * nothing.
 */
export function showProgress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\x1b[2K\r${line}`);
}
