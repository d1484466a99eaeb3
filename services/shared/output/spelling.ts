/** How texts of one class may differ. */
export interface Spelling {
  /** True if texts that differ in case alone are different classes. */
  caseMatters: boolean;
  /** The words of truth and their keys, such as yes: '1'. Empty if the classes are no such words. */
  truthWords: Readonly<Record<string, string>>;
}

/** Spelling of classes that are no words of truth. */
export const plainSpelling: Spelling = { caseMatters: false, truthWords: {} };

const trueWords = ['1', 'true', 'yes', 'y', 't'];
const falseWords = ['0', 'false', 'no', 'n', 'f'];
/** The words of truth, of which -1 means false only where 0 is no class. */
const wordKeys: Readonly<Record<string, string>> = Object.fromEntries([
  ...trueWords.map(word => [word, '1']),
  ...falseWords.map(word => [word, '0']),
]);
const minusOne = '-1';
/** Share of the texts that have to be words of truth. */
const minTruthShare = 0.95;

/** Texts that stand for an absent value, in lower case. */
export const missingWords: readonly string[] = [
  ...['', '-', '--', '?', '.', 'n/a', '#n/a', 'na', '<na>', 'n.a.', 'nan', 'nat', 'null', '<null>'],
  ...['none', 'nil', 'undefined', 'missing', 'unknown', 'not available', '(null)', '\\n'],
];
const missing = new Set(missingWords);

/** Space that may surround a text, as RE2 and JavaScript understand it alike. */
export const surroundingSpace = '^[\\t\\n\\f\\r ]+|[\\t\\n\\f\\r ]+$';
/** A whole number that is written with a fraction of zeros. */
export const wholeNumber = '^(-?(?:0|[1-9][0-9]*))\\.0+$';

const spaces = new RegExp(surroundingSpace, 'g');
const whole = new RegExp(wholeNumber);

/** Returns a text without surrounding space, in Unicode's composed form. */
export function trimmed(text: string): string {
  return text.normalize('NFC').replace(spaces, '');
}

/**
 * Returns what all spellings of a class have in common. `classKeyOf` in outputExpressions.ts is the
 * same in SQL.
 * @example classKey(' Yes', spelling) // '1' among words of truth, else 'yes'
 */
export function classKey(text: string, { caseMatters, truthWords }: Spelling): string {
  const composed = trimmed(text);
  const folded = caseMatters ? composed : lowerCase(composed);
  const number = folded.replace(whole, '$1');
  return Object.hasOwn(truthWords, number) ? truthWords[number]! : number;
}

/** Returns whether a text stands for an absent value. */
export function isMissing(text: string): boolean {
  return missing.has(lowerCase(trimmed(text)));
}

/** Changes each character by itself, as ClickHouse does. */
function lowerCase(text: string): string {
  return Array.from(text, character => character.toLowerCase()).join('');
}

/**
 * Returns the words of truth if nearly all texts of each side are such words, and no words
 * otherwise. An empty side does not count.
 */
export function truthWordsOf(sides: readonly (readonly string[])[]): Spelling['truthWords'] {
  const keys = sides.map(texts => texts.map(text => classKey(text, plainSpelling)));
  const isFalseMinusOne = keys.every(
    side => !(side.includes(minusOne) && side.some(key => wordKeys[key] === '0')),
  );
  const words = isFalseMinusOne ? { ...wordKeys, [minusOne]: '0' } : wordKeys;
  const areWordsOfTruth = (side: readonly string[]) => {
    const found = side.filter(key => Object.hasOwn(words, key));
    const [before, after] = [new Set(found), new Set(found.map(key => words[key]))];
    // Two words that both mean false, such as n and f, are the names of something else.
    return found.length >= side.length * minTruthShare && (before.size === 1 || after.size > 1);
  };
  const filled = keys.filter(side => side.length > 0);
  return filled.length > 0 && filled.every(areWordsOfTruth) ? words : {};
}
