/**
 * Parses JSON as Python and others write it: beside what the standard allows, `NaN`, `Infinity` and
 * `-Infinity` are numbers and a byte order mark at the start is ignored.
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  const content = text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text;
  try {
    return JSON.parse(content);
  } catch (error) {
    const standard = withoutSpecialNumbers(content);
    if (standard === null) throw error;
    return parseWithSources(standard, (value, source) =>
      source === writtenForNaN ? Number.NaN : value,
    );
  }
}

/**
 * Parses JSON with whole numbers that a number cannot hold as bigints, so that ids keep their
 * digits.
 */
export function parseJsonKeepingDigits(text: string): unknown {
  const content = text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text;
  return parseWithSources(withoutSpecialNumbers(content) ?? content, (value, source) => {
    if (source === writtenForNaN) return Number.NaN;
    const isExact = typeof value !== 'number' || Number.isSafeInteger(value);
    return isExact || !/^-?\d+$/.test(source) ? value : BigInt(source);
  });
}

const byteOrderMark = 0xfeff;
/** A number that nobody writes, in place of the literal that the standard does not have. */
const writtenForNaN = '-0e999';
const specialNumbers: readonly [string, string][] = [
  ['NaN', writtenForNaN],
  ['Infinity', '1e999'],
];

type WithSource = (
  text: string,
  reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
) => unknown;

function parseWithSources(
  text: string,
  read: (value: unknown, source: string) => unknown,
): unknown {
  return (JSON.parse as WithSource)(text, (_, value, { source }) =>
    source === undefined ? value : read(value, source),
  );
}

/** Returns the text with those numbers in the words of the standard; null if it has none. */
function withoutSpecialNumbers(text: string): string | null {
  if (!specialNumbers.some(([word]) => text.includes(word))) return null;
  const parts: string[] = [];
  let copied = 0;
  let position = 0;
  while (position < text.length) {
    const character = text[position];
    if (character === '"') {
      position = endOfString(text, position + 1);
      continue;
    }
    const special =
      character === 'N' || character === 'I'
        ? specialNumbers.find(([word]) => text.startsWith(word, position))
        : undefined;
    if (special) {
      parts.push(text.slice(copied, position), special[1]);
      position += special[0].length;
      copied = position;
    } else {
      position++;
    }
  }
  return parts.join('') + text.slice(copied);
}

/** Returns the position behind the quote that ends a string. */
function endOfString(text: string, start: number): number {
  for (let position = start; position < text.length; position++) {
    if (text[position] === '\\') position++;
    else if (text[position] === '"') return position + 1;
  }
  return text.length;
}
