import { type OutputMeaning, otherClass } from './outputMeaning.ts';
import { decimalNumber } from './referenceOutput.ts';
import { classKey, missingWords, surroundingSpace, wholeNumber } from './spelling.ts';

/**
 * Expressions over the columns label, label_value, prediction and prediction_value, and the query
 * parameters that they use. They do in SQL what comparedOutput.ts does.
 */
export interface OutputExpressions {
  /** Text: name of the class of the label, or '' if it does not fit. */
  labelClass: string;
  /** The same for the prediction. */
  predictionClass: string;
  /** Nullable(Float64): the label of a regression. */
  labelNumber: string;
  predictionNumber: string;
  /** The class that a column or another expression names, or ''. */
  classNamed(text: string): string;
  parameters: Record<string, unknown>;
}

/** Writes a text as a literal of ClickHouse. */
const literal = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;

/** Returns the expressions for a meaning. */
export function outputExpressions(meaning: OutputMeaning): OutputExpressions {
  const { classes, spelling, openLabels, openPredictions, scoreOf, threshold } = meaning;
  const words = Object.entries(spelling.truthWords);
  const classNamed = (text: string, isOpen: boolean) => namedClass(text, meaning, isOpen);
  const predictionNumber = numberIn('prediction_value', 'prediction');
  return {
    labelClass: classNamed('label', openLabels),
    predictionClass:
      meaning.predictionIs === 'class'
        ? classNamed('prediction', openPredictions)
        : classOfNumber(predictionNumber, meaning),
    labelNumber: numberIn('label_value', 'label'),
    predictionNumber,
    classNamed: text => classNamed(text, openLabels),
    parameters: {
      classSpellings: classes.flatMap(({ spellings }) => spellings),
      namesOfSpellings: classes.flatMap(({ name, spellings }) => spellings.map(() => name)),
      classKeys: classes.map(({ name }) => classKey(name, spelling)),
      namesOfKeys: classes.map(({ name }) => name),
      missingWords,
      truthWords: words.map(([word]) => word),
      truthKeys: words.map(([, key]) => key),
      scoreOf: scoreOf ?? '',
      otherClass: scoreOf === null ? '' : (otherClass(meaning, scoreOf) ?? ''),
      threshold: threshold ?? 0,
    },
  };
}

/** The number in a column of numbers or in one of texts; NULL if it is none or is not finite. */
function numberIn(value: string, text: string): string {
  const parsed = `if(match(${text}, ${literal(decimalNumber)}), toFloat64OrNull(${trimmedText(text)}), NULL)`;
  return `if(isNull(${value}), ${parsed}, if(isFinite(${value}), ${value}, NULL))`;
}

function trimmedText(text: string): string {
  return `replaceRegexpAll(${text}, ${literal(surroundingSpace)}, '')`;
}

/** `classKey` in SQL. */
function classKeyOf(text: string, { spelling }: OutputMeaning): string {
  const composed = trimmedText(`normalizeUTF8NFC(${text})`);
  const folded = spelling.caseMatters ? composed : `lowerUTF8(${composed})`;
  const number = `replaceRegexpOne(${folded}, ${literal(wholeNumber)}, '\\\\1')`;
  return Object.keys(spelling.truthWords).length === 0
    ? number
    : `transform(${number}, {truthWords:Array(String)}, {truthKeys:Array(String)}, ${number})`;
}

function namedClass(text: string, meaning: OutputMeaning, isOpen: boolean): string {
  const key = classKeyOf(text, meaning);
  const unknown = isOpen
    ? `if(has({missingWords:Array(String)}, lowerUTF8(${trimmedText(text)})), '', ${key})`
    : `''`;
  const byKey = `transform(${key}, {classKeys:Array(String)}, {namesOfKeys:Array(String)}, ${unknown})`;
  // Most texts are spelled as in the reference, and need no key.
  const spellings = '{classSpellings:Array(String)}';
  return `if(has(${spellings}, ${text}),
             transform(${text}, ${spellings}, {namesOfSpellings:Array(String)}, ''), ${byKey})`;
}

function classOfNumber(number: string, { predictionIs, threshold }: OutputMeaning): string {
  if (threshold === null) return `''`;
  const isUsable = predictionIs === 'probability' ? `${number} BETWEEN 0 AND 1` : 'true';
  return `multiIf(isNull(${number}) OR NOT (${isUsable}), '',
                  ${number} >= {threshold:Float64}, {scoreOf:String}, {otherClass:String})`;
}
