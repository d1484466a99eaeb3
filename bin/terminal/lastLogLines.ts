import { logTail } from '../../infra/local/processes/untilReady.ts';

const maxLines = 5;
const maxLineCharacters = 300;

/**
 * Adds the last lines of a log file to a line that names it.
 * @param line such as "detector ended with exit code 1 (log: /tmp/detector.log)"
 */
export function withLastLogLines(line: string): string {
  const [, file] = /\(log: (.+)\)$/.exec(line) ?? [];
  if (file === undefined) return line;
  const lines = logTail(file).trimEnd().split('\n').slice(-maxLines);
  return [line, ...lines.map(text => `  ${text.slice(0, maxLineCharacters)}`)].join('\n');
}
