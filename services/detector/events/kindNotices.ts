import type { FeatureKind } from '../../shared/featureKind.ts';
import type { Notice } from '../../shared/service/notice.ts';
import type { KnownFeature } from '../reference/knownFeature.ts';

/** Further features are not told of one by one. */
const maxNotices = 100;

type Said = Pick<Notice, 'code' | 'advice'> & { message: (feature: string) => string };

const notCompared = 'Its distribution is not compared; missing values and wrong types are watched.';

const numericTimes: Said = {
  code: 'times-as-feature',
  message: feature => `Feature ${feature} holds days or times as numbers.`,
  advice: `Log what the model uses of it, such as an age in days. ${notCompared}`,
};

/** What is said about kinds that are seldom meant; the others need no notice. */
const said: Partial<Record<FeatureKind, Said>> = {
  'numeric-text': {
    code: 'numbers-written-as-text',
    message: feature => `Feature ${feature} is text, but its values are numbers.`,
    advice:
      'Log numbers, not text. Until then the values are compared as numbers, and a text that says none is of the wrong type.',
  },
  time: {
    code: 'dates-written-as-text',
    message: feature => `Feature ${feature} holds days or times as text.`,
    advice: numericTimes.advice,
  },
  identifier: {
    code: 'identifier-as-feature',
    message: feature => `Feature ${feature} has another text in nearly every record.`,
    advice: `Leave it out if the model does not use it. ${notCompared}`,
  },
  counter: {
    code: 'counter-as-feature',
    message: feature => `Feature ${feature} only ever grows.`,
    advice: `Log a difference or a rate, not the level. ${notCompared}`,
  },
  calendar: {
    code: 'calendar-as-feature',
    message: feature => `Feature ${feature} follows the calendar.`,
    advice: `Nothing needs to be done. ${notCompared}`,
  },
  steps: {
    code: 'steps-as-feature',
    message: feature => `Feature ${feature} has one value at a time for all records.`,
    advice: `Nothing needs to be done if it is meant to change now and then. ${notCompared}`,
  },
  'free-text': {
    code: 'free-text-as-feature',
    message: feature => `Feature ${feature} is free text.`,
    advice:
      'Log what the model uses of it, such as an embedding or a topic. Until then only the lengths of the texts are compared.',
  },
};

/**
 * Returns the notices on features that are not what a monitor can compare. What the settings declare
 * needs no notice.
 */
export function kindNotices(features: readonly KnownFeature[]): Notice[] {
  return features
    .flatMap(({ feature, kind, view, declared, evidence, sinceMs }) => {
      const one = kind === 'time' && view !== 'times' ? numericTimes : said[kind];
      if (!one || declared) return [];
      const { code, message, advice } = one;
      const sentence = `${evidence.slice(0, 1).toUpperCase()}${evidence.slice(1)}.`;
      return [
        { code, subject: feature, sinceMs, message: message(feature), evidence: sentence, advice },
      ];
    })
    .slice(0, maxNotices);
}
