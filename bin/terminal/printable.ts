/**
 * Control characters of C0 and C1, marks that change the direction of text, and separators of lines
 * and paragraphs. A terminal would obey them.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Returns a text that came from a producer as it may be printed on one line: what a terminal would
 * obey is written as its code, such as \u001b.
 */
export function printable(text: string): string {
  return text.replace(
    unsafe,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Does the same, but keeps new lines and tabs, which the program itself has put there. */
export function printableLines(text: string): string {
  return text.replace(unsafe, character =>
    character === '\n' || character === '\t' ? character : printable(character),
  );
}

/** Returns a copy of a value with all its texts printable. */
export function printableTexts<T>(value: T): T {
  if (typeof value === 'string') return printable(value) as T;
  if (Array.isArray(value)) return value.map(printableTexts) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, printableTexts(part)]),
  ) as T;
}

/**
 * Makes everything printable that commands print, so that no name of a producer reaches the terminal
 * as it is. JSON stays the same: the codes are those of JSON.
 */
export function printSafely(): void {
  for (const method of ['log', 'error', 'warn'] as const) {
    const print = console[method].bind(console);
    console[method] = (...values: unknown[]) =>
      print(...values.map(value => (typeof value === 'string' ? printableLines(value) : value)));
  }
}
