import type { GeneratedStream } from './generatedStream.ts';
import { hoeffdingTree } from './hoeffdingTree.ts';
import type { Mode } from './injectDrift.ts';
import { type Random, randomOf } from './random.ts';

/**
 * Makes inputs that do not change, and several concepts: ways in which the class follows from them.
 */
interface Generator {
  columns: readonly string[];
  concepts: number;
  inputs(random: Random): number[];
  /** 0 or 1 */
  label(inputs: readonly number[], concept: number, random: Random): number;
}

const drifts = 10;
const rowsPerConcept = 5000;
const maxDelay = 1000;
const rampRows = 1000;
const trained = 1001;
const startMs = Date.UTC(2026, 0, 1);
const stepMs = 1000;

/**
 * Makes a stream whose concept changes ten times, 25 windows of 200 rows apart. The inputs do not
 * change.
 */
export function conceptStream(name: string, mode: Mode, repeat: number): GeneratedStream {
  const generator = generators[name]!;
  const rows = (drifts + 1) * rowsPerConcept;
  return {
    name: `${name}-concept-${mode.toLowerCase()}-${repeat}`,
    windowSizeMs: 200 * stepMs,
    truth: {
      dataset: name,
      type: 'concept',
      mode,
      starts: Array.from({ length: drifts }, (_, index) => (index + 1) * rowsPerConcept),
      maxDelay,
      rows,
      monitoredFrom: trained,
      labelDelay: 0,
      rowAt: timeMs => (timeMs - startMs) / stepMs,
    },
    *rows() {
      const random = randomOf('concept', name, mode, repeat);
      const concepts = [random.integer(generator.concepts)];
      while (concepts.length <= drifts)
        concepts.push(
          (concepts.at(-1)! + 1 + random.integer(generator.concepts - 1)) % generator.concepts,
        );
      const tree = hoeffdingTree(generator.columns.length, 2);
      for (let row = 0; row < rows; row++) {
        const segment = Math.floor(row / rowsPerConcept);
        const isOld =
          mode === 'GRADUAL' &&
          segment > 0 &&
          random.uniform() >= (row % rowsPerConcept) / rampRows;
        const inputs = generator.inputs(random);
        const label = generator.label(inputs, concepts[isOld ? segment - 1 : segment]!, random);
        const probabilities = tree.predict(inputs);
        tree.learn(inputs, label);
        if (row < trained) continue;
        yield {
          timeMs: startMs + row * stepMs,
          features: Object.fromEntries(
            generator.columns.map((column, index) => [column, inputs[index]!]),
          ),
          prediction: probabilities[1]! > probabilities[0]! ? 'c1' : 'c0',
          score: probabilities[1]!,
          label: `c${label}`,
        };
      }
    },
  };
}

const seaThresholds = [8, 9, 7, 9.5];
const seaNoise = 0.1;

/**
 * SEA: Street and Kim, KDD 2001. STAGGER: Schlimmer and Granger 1986. Sine: Gama et al. 2004.
 * Agrawal: IEEE TKDE 5 (1993).
 */
const generators: Record<string, Generator> = {
  SEA: {
    columns: ['F1', 'F2', 'F3'],
    concepts: 4,
    inputs: random => [random.between(0, 10), random.between(0, 10), random.between(0, 10)],
    label([a, b], concept, random) {
      const label = Number(a! + b! <= seaThresholds[concept]!);
      return random.uniform() < seaNoise ? 1 - label : label;
    },
  },
  STAGGER: {
    columns: ['size', 'color', 'shape'],
    concepts: 3,
    inputs: random => [random.integer(3), random.integer(3), random.integer(3)],
    label: ([size, color, shape], concept) =>
      Number(
        [size === 0 && color === 0, color === 1 || shape === 0, size === 1 || size === 2][concept],
      ),
  },
  Sine: {
    columns: ['F1', 'F2'],
    concepts: 4,
    inputs: random => [random.uniform(), random.uniform()],
    label([a, b], concept) {
      const isBelow = concept < 2 ? b! < Math.sin(a!) : b! < 0.5 + 0.3 * Math.sin(3 * Math.PI * a!);
      return Number(concept % 2 === 0 ? isBelow : !isBelow);
    },
  },
  Agrawal: {
    columns: [
      'salary',
      'commission',
      'age',
      'education',
      'car',
      'zipcode',
      'houseValue',
      'houseYears',
      'loan',
    ],
    concepts: 5,
    inputs(random) {
      const salary = random.between(20_000, 150_000);
      const commission = salary >= 75_000 ? 0 : random.between(10_000, 75_000);
      const zipcode = random.integer(9);
      return [
        salary,
        commission,
        20 + random.integer(61),
        random.integer(5),
        1 + random.integer(20),
        zipcode,
        (9 - zipcode) * 100_000 * random.between(0.5, 1.5),
        1 + random.integer(30),
        random.between(0, 500_000),
      ];
    },
    label: (inputs, concept) => Number(!isGroupA(inputs, concept)),
  },
};

/** Computes functions 1 to 4 and 7 of Agrawal et al. */
function isGroupA(
  [salary, commission, age, education, , , , , loan]: readonly number[],
  concept: number,
): boolean {
  const earns = (low: number, high: number) => salary! >= low && salary! <= high;
  const byAge = <T>(young: T, middle: T, old: T) => (age! < 40 ? young : age! < 60 ? middle : old);
  const learned = (low: number, high: number) => education! >= low && education! <= high;
  if (concept === 0) return age! < 40 || age! >= 60;
  if (concept === 1)
    return byAge(earns(50_000, 100_000), earns(75_000, 125_000), earns(25_000, 75_000));
  if (concept === 2) return byAge(learned(0, 1), learned(1, 3), learned(2, 4));
  if (concept === 4) return 0.67 * (salary! + commission!) - 0.2 * loan! - 20_000 > 0;
  return byAge(
    learned(0, 1) ? earns(25_000, 75_000) : earns(50_000, 100_000),
    learned(1, 3) ? earns(50_000, 100_000) : earns(75_000, 125_000),
    learned(2, 4) ? earns(50_000, 100_000) : earns(25_000, 75_000),
  );
}

export const conceptNames = Object.keys(generators);
