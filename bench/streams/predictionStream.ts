import type { Prediction } from '../../services/shared/contracts.ts';
import { seededRandom } from '../../services/shared/model/seededRandom.ts';

/** As many predictions fall in one window of a minute. */
export const recordsPerMinute = 8_333;
export const firstEventTimeMs = Date.UTC(2026, 0, 1);
/** Values in a pool; models do not see the same rows again and again. */
const poolValues = 200_000;

export interface FeatureCounts {
  numeric: number;
  categorical: number;
}

/** Eight numbers and four texts. */
export const usualFeatures: FeatureCounts = { numeric: 8, categorical: 4 };

type Features = Prediction['features'];

/** Numbers and texts as models get them: bell-shaped, skewed, uniform, counts; few and many categories. */
export function featurePool(
  { numeric, categorical }: FeatureCounts,
  size: number,
  seed = 1,
): Features[] {
  const random = seededRandom(seed);
  return Array.from({ length: size }, () => {
    const features: Features = {};
    for (let index = 0; index < numeric; index++)
      features[`number_${index}`] = numbers[index % numbers.length]!(random);
    for (let index = 0; index < categorical; index++) {
      const categories = categoryCounts[index % categoryCounts.length]!;
      features[`category_${index}`] = `value_${Math.floor(random() ** 2 * categories)}`;
    }
    return features;
  });
}

const categoryCounts = [3, 8, 40, 150];

const normal = (random: () => number) =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const numbers: ((random: () => number) => number)[] = [
  normal,
  random => Math.exp(normal(random)),
  random => random() * 100,
  random => Math.floor(random() * 80),
  random => 50 + 10 * normal(random),
  random => -Math.log(1 - random()) * 30,
  random => Math.round(random() * 10_000) / 100,
  random => Math.exp(4 + 2 * normal(random)),
];

export interface StreamOptions {
  features?: FeatureCounts;
  /** Predictions take turns between so many models. */
  models?: number;
  recordsPerMinute?: number;
  /** Event time of a prediction, where it does not follow from `recordsPerMinute`. */
  timeMsOf?: (index: number) => number;
}

/** The prediction with a number, by nothing but that number: 13 columns with the usual features. */
export function predictionStream(options: StreamOptions = {}): (index: number) => Prediction {
  const {
    features = usualFeatures,
    models = 1,
    recordsPerMinute: perMinute = recordsPerMinute,
  } = options;
  const timeMsOf =
    options.timeMsOf ?? (index => firstEventTimeMs + Math.floor((index * 60_000) / perMinute));
  const pool = featurePool(
    features,
    Math.ceil(poolValues / (features.numeric + features.categorical)),
  );
  return index => ({
    id: predictionId(index),
    model: models === 1 ? 'bench' : `bench-${index % models}`,
    version: '1',
    time: timeMsOf(index),
    features: pool[index % pool.length]!,
    prediction: index % 3 === 0 ? 'yes' : 'no',
    score: null,
    probabilities: null,
    segment: null,
    codeVersion: null,
    latencyMs: null,
  });
}

export function predictionId(index: number): string {
  return `id-${String(index).padStart(9, '0')}`;
}
