import { bucketValue } from '../bins/bucketValue.ts';
import { isBeyond, minGrowingParts } from '../bins/isGrowing.ts';
import type { FeatureKind } from '../featureKind.ts';
import { textSummaryOf } from '../profile/categoricalCounts.ts';
import { distinctCount } from '../profile/distinctValues.ts';
import {
  type FeatureProfile,
  featureType,
  mergeFeatureProfiles,
} from '../profile/featureProfile.ts';
import type { NumericHistogram } from '../profile/numericHistogram.ts';
import { sortedBuckets } from '../profile/sortedBuckets.ts';
import type { TextSummary } from '../profile/textSummary.ts';
import type { TimeWindow } from '../timeWindow.ts';
import { calendarStepMs } from './calendarName.ts';
import { coreRange } from './coreRange.ts';
import { isIdentifierName } from './identifierName.ts';
import { timeUnitOf } from './timeUnit.ts';
import { type ProfileView, viewedProfile } from './viewedProfile.ts';

/** A feature in one part of a reference. */
export interface FeaturePart extends TimeWindow {
  profile: FeatureProfile;
}

/** What a feature is, as its reference shows. */
export interface KindOfFeature {
  kind: FeatureKind;
  view: ProfileView;
  /** Whether the settings say so. */
  declared: boolean;
  /** The numbers behind it, with an example; a part of a sentence. */
  evidence: string;
  /**
   * The value that all records of each part share, as text; that of the last part where it changes.
   * Null if it varies within parts.
   */
  constant: string | null;
}

/** Share of the texts that have to be numbers or times. */
const minShareOfTexts = 0.95;
/** Fewer different numbers are names of categories, such as grades. */
const minNumbers = 20;
/** Share of the texts that have to be sentences. */
const minShareOfSentences = 0.5;
/** Share of the records that have a text of their own, which is known to about 6 %. */
const minShareOfIdentifiers = 0.9;
/** The same where exact parts show that hardly any text comes twice within them. */
const minShareOfUnique = 0.8;
const maxShareOfRepeats = 0.005;
/** The same where the name of the feature says that it is an identifier. */
const minShareOfNamed = 0.15;
const minIdentifiers = 200;
const minParts = 5;
/** Share of the parts in which all values are the same. */
const minShareOfConstantParts = 0.9;
const maxCalendarValues = 60;

/** Kinds that are found in numbers, whether they are logged as numbers or as text. */
type Found = Pick<KindOfFeature, 'kind' | 'evidence'>;

/**
 * Returns what a feature is, from the parts of a reference in the order of time. It is a function
 * of the parts, the settings and what was known before, so that a replay says the same.
 * O(parts · buckets).
 *
 * @param declared kind by the settings; not used where the values do not fit it
 * @param earlier what the feature was in the reference before
 */
export function kindOfFeature(
  name: string,
  parts: readonly FeaturePart[],
  declared?: FeatureKind,
  earlier?: Pick<KindOfFeature, 'kind' | 'constant'>,
): KindOfFeature {
  const whole = mergeFeatureProfiles(...parts.map(({ profile }) => profile));
  const vector = kindOfVectors(whole);
  if (vector) return { ...vector, declared: declared === 'vector' };
  const constant = constantOf(parts);
  const isText = featureType(whole) === 'categorical';
  const text = isText ? textSummaryOf(whole.categorical) : null;
  const view = isText ? viewOfText(text, declared) : 'logged';
  const told = declared !== undefined && fits(declared, isText, text);
  const found: Found = told
    ? { kind: declared, evidence: 'by the settings' }
    : (movingKind(name, parts, view, constant, earlier) ??
      (view === 'logged' && text ? kindOfText(name, parts, text, whole.categorical.count) : null) ??
      plainKind(whole, view, text));
  return { ...found, view: viewOfKind(found.kind, view), declared: told, constant };
}

/** Returns the kind of a feature whose values are mostly vectors; null for another one. */
function kindOfVectors({ count, missing, vectors }: FeatureProfile): KindOfFeature | null {
  if (!vectors || 2 * vectors.count <= count - missing) return null;
  const [largest] = [...vectors.byDimension].sort(
    ([left, { count: ofLeft }], [right, { count: ofRight }]) => ofRight - ofLeft || left - right,
  );
  if (!largest) return null;
  const [dimension, { count: known }] = largest;
  return {
    kind: 'vector',
    view: `vectors/${dimension}`,
    declared: false,
    evidence: `${known} vectors of ${dimension} numbers`,
    constant: null,
  };
}

function viewOfText(text: TextSummary | null, declared: FeatureKind | undefined): ProfileView {
  if (!text) return 'logged';
  const { count } = text.lengths;
  if (declared === 'free-text') return 'lengths';
  const said = readingOfNumbers(text);
  if (declared === 'numeric' || declared === 'numeric-text') return said;
  if (declared === 'categorical' || declared === 'identifier') return 'logged';
  if (text[said].count >= count * minShareOfTexts) return said;
  return text.times.count >= count * minShareOfTexts ? 'times' : 'logged';
}

/**
 * Returns how texts say numbers. A comma is the decimal sign where more texts than may be no number
 * show it, because `1,234` alone may have one that separates thousands.
 */
function readingOfNumbers(text: TextSummary): 'numbers' | 'commas' {
  const { numbers, commas, decimalCommas, lengths } = text;
  const isShown = decimalCommas > lengths.count * (1 - minShareOfTexts);
  return isShown && commas.count > numbers.count ? 'commas' : 'numbers';
}

/** Returns the view of a kind for a feature that would be seen in another one. */
function viewOfKind(kind: FeatureKind, view: ProfileView): ProfileView {
  switch (kind) {
    case 'free-text':
      return 'lengths';
    case 'categorical':
    case 'identifier':
    case 'calendar':
    case 'steps':
      return 'logged';
    default:
      return view;
  }
}

/** Returns whether values can be watched as a kind. */
function fits(kind: FeatureKind, isText: boolean, text: TextSummary | null): boolean {
  const isKnownText = text !== null;
  switch (kind) {
    case 'numeric':
      return !isText || isKnownText;
    case 'categorical':
    case 'identifier':
      return isText;
    case 'numeric-text':
    case 'free-text':
      return isKnownText;
    case 'vector':
      return false;
    default:
      return true;
  }
}

/** Returns the kind of a feature whose values move by themselves; null for another one. */
function movingKind(
  name: string,
  parts: readonly FeaturePart[],
  view: ProfileView,
  constant: string | null,
  earlier: Pick<KindOfFeature, 'kind' | 'constant'> | undefined,
): Found | null {
  const numbers = parts.map(({ profile }) => viewedProfile(profile, view)!.numeric);
  return (
    timeKind(parts, numbers, view) ??
    calendarKind(name, parts) ??
    counterKind(numbers) ??
    stepsKind(parts, constant, earlier)
  );
}

function timeKind(
  parts: readonly FeaturePart[],
  numbers: readonly NumericHistogram[],
  view: ProfileView,
): Found | null {
  const minimum = Math.min(...numbers.map(one => one.minimum));
  const maximum = Math.max(...numbers.map(one => one.maximum));
  if (!Number.isFinite(minimum)) return null;
  if (view === 'times') {
    const written = (seconds: number) => new Date(seconds * 1000).toISOString();
    return { kind: 'time', evidence: `texts from ${written(minimum)} to ${written(maximum)}` };
  }
  const unit = timeUnitOf(
    numbers.filter(({ count }) => count > 0),
    { startMs: parts[0]!.startMs, endMs: parts.at(-1)!.endMs },
  );
  return unit === null ? null : { kind: 'time', evidence: `${unit} from ${minimum} to ${maximum}` };
}

function counterKind(numbers: readonly NumericHistogram[]): Found | null {
  const known = numbers.filter(({ count }) => count > 0);
  if (!isGrowingInCore(known)) return null;
  const { minimum, maximum } = { minimum: known[0]!.minimum, maximum: known.at(-1)!.maximum };
  return {
    kind: 'counter',
    evidence: `it grew from ${minimum} to ${maximum} over ${known.length} parts of the reference`,
  };
}

/** Returns whether parts grow, as `isGrowing` does, in their cores. Two parts mostly tell enough. */
function isGrowingInCore(parts: readonly NumericHistogram[]): boolean {
  if (parts.length < minGrowingParts) return false;
  let before = coreRange(parts[0]!);
  for (const part of parts.slice(1)) {
    const core = coreRange(part);
    if (!isBeyond(before, core)) return false;
    before = core;
  }
  return true;
}

function calendarKind(name: string, parts: readonly FeaturePart[]): Found | null {
  // Most names are none of the calendar, whatever the values are.
  if (calendarStepMs(name, []) === null) return null;
  const values = parts.map(({ profile }) => distinctValues(profile));
  const all = new Set(values.flat());
  if (all.size === 0 || all.size > maxCalendarValues) return null;
  const stepMs = calendarStepMs(name, [...all]);
  if (stepMs === null) return null;
  const most = (index: number) =>
    Math.ceil((parts[index]!.endMs - parts[index]!.startMs) / stepMs) + 1;
  const isFollowing = values.every((ofPart, index) => ofPart.length <= most(index));
  const constants = values.filter(ofPart => ofPart.length <= 1).length;
  // A yes and a no in each part are no sign of a day, so most parts have to have one of them.
  if (!isFollowing || (all.size <= 2 && 2 * constants < parts.length)) return null;
  const listed = [...all].slice(0, 5).join(', ');
  return { kind: 'calendar', evidence: `its name and its values (${listed}) are of the calendar` };
}

function stepsKind(
  parts: readonly FeaturePart[],
  constant: string | null,
  earlier: Pick<KindOfFeature, 'kind' | 'constant'> | undefined,
): Found | null {
  if (constant === null) return null;
  const constants = new Set(parts.flatMap(({ profile }) => constantValue(profile) ?? []));
  const before = earlier?.constant ?? null;
  if (constants.size > 1)
    return {
      kind: 'steps',
      evidence: `one value at a time, such as ${[...constants].slice(0, 3).join(', then ')}`,
    };
  if (before !== null && (earlier?.kind === 'steps' || before !== constant))
    return { kind: 'steps', evidence: `one value at a time, ${before} and then ${constant}` };
  return null;
}

function kindOfText(
  name: string,
  parts: readonly FeaturePart[],
  { sentences, distinct, lengths, example }: TextSummary,
  count: number,
): Found | null {
  const different = Math.min(count, Math.round(distinctCount(distinct)));
  const such = `such as ${JSON.stringify(example)}`;
  if (sentences >= count * minShareOfSentences && different >= minNumbers) {
    const mean = Math.round(lengths.sum / lengths.count);
    return {
      kind: 'free-text',
      evidence: `about ${different} different texts of ${mean} characters on average, ${such}`,
    };
  }
  if (count >= minIdentifiers && different >= count * shareOfIdentifiers(name, parts))
    return {
      kind: 'identifier',
      evidence: `about ${different} different texts in ${count} records, ${such}`,
    };
  return null;
}

/**
 * Returns which share of the records needs a text of its own. Parts with exact counts tell identifiers
 * from names of which there are many, and of which some come twice within a part. Where the name of
 * the feature says that it identifies something, such as a user, each text may come a few times.
 */
function shareOfIdentifiers(name: string, parts: readonly FeaturePart[]): number {
  if (isIdentifierName(name)) return minShareOfNamed;
  const exact = parts.filter(({ profile }) => !profile.categorical.hashed);
  const texts = exact.reduce((sum, { profile }) => sum + profile.categorical.count, 0);
  const different = exact.reduce((sum, { profile }) => sum + profile.categorical.exact.size, 0);
  if (texts < minIdentifiers) return minShareOfIdentifiers;
  return texts - different <= texts * maxShareOfRepeats ? minShareOfUnique : Infinity;
}

function plainKind(whole: FeatureProfile, view: ProfileView, text: TextSummary | null): Found {
  if (featureType(whole) === 'numeric') return { kind: 'numeric', evidence: 'numbers' };
  const isNumber = view === 'numbers' || view === 'commas';
  if (!isNumber || distinctCount(text!.distinct) <= minNumbers)
    return { kind: 'categorical', evidence: 'text or booleans' };
  const { count, minimum, maximum } = text![view];
  const numbers = view === 'commas' ? 'numbers with a decimal comma' : 'numbers';
  return {
    kind: 'numeric-text',
    evidence: `${count} of ${text!.lengths.count} texts are ${numbers}, from ${minimum} to ${maximum}`,
  };
}

/** Returns the value that all records of nearly every part share, that of the last such part. */
function constantOf(parts: readonly FeaturePart[]): string | null {
  const known = parts.filter(({ profile }) => profile.count > profile.missing);
  const values = known.flatMap(({ profile }) => constantValue(profile) ?? []);
  const isConstant =
    known.length >= minParts && values.length >= known.length * minShareOfConstantParts;
  return isConstant ? values.at(-1)! : null;
}

function constantValue({ numeric, categorical }: FeatureProfile): string | null {
  if (numeric.count + categorical.count < 2) return null;
  if (categorical.count === 0 && numeric.minimum === numeric.maximum)
    return String(numeric.minimum);
  if (numeric.count > 0 || categorical.exact.size !== 1) return null;
  return categorical.exact.keys().next().value!;
}

/** Returns the different values as text; more than a calendar has if there are too many. */
function distinctValues({ numeric, categorical }: FeatureProfile): string[] {
  const tooMany = new Array<string>(maxCalendarValues + 1).fill('').map((_, index) => `#${index}`);
  if (numeric.bucketsInUse > maxCalendarValues || categorical.hashed) return tooMany;
  const { keys, mantissaBits } = sortedBuckets(numeric);
  const numbers = Array.from(keys, key => String(bucketValue(numeric, key, mantissaBits)));
  return [...numbers, ...categorical.exact.keys()];
}
