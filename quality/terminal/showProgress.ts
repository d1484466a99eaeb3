/** Replaces the line on a terminal; an empty one leaves nothing behind. Nothing where standard error goes elsewhere. */
export function showProgress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\x1b[2K\r${line}`);
}
