import { type Prediction, predictionDefaults } from '../../services/shared/contracts.ts';
import { seededRandom } from '../../services/shared/model/seededRandom.ts';

/** Number of predictions in a window of one minute. */
export const recordsPerMinute = 8_333;
export const firstEventTimeMs = Date.UTC(2026, 0, 1);
/** Number of values in a pool. It is large, so that the same rows do not come again and again. */
const poolValues = 200_000;

export interface FeatureCounts {
  numeric: number;
  categorical: number;
}

/** Eight numbers and four categories. */
export const usualFeatures: FeatureCounts = { numeric: 8, categorical: 4 };

type Features = Prediction['features'];

/**
 * Makes features such as models get: bell-shaped, skewed and uniform numbers, counts, few and many
 * categories.
 */
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
  /** Number of models; predictions take turns between them. */
  models?: number;
  recordsPerMinute?: number;
  /** Event time of a prediction, if it does not follow from `recordsPerMinute`. */
  timeMsOf?: (index: number) => number;
}

/**
 * Returns a function that makes the prediction with a given number, always the same one. With the
 * usual features it has 13 columns.
 */
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
    ...predictionDefaults,
    id: predictionId(index),
    model: models === 1 ? 'bench' : `bench-${index % models}`,
    version: '1',
    time: timeMsOf(index),
    features: pool[index % pool.length]!,
    prediction: index % 3 === 0 ? 'yes' : 'no',
  });
}

export function predictionId(index: number): string {
  return `id-${String(index).padStart(9, '0')}`;
}
