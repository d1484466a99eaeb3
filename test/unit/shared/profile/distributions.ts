/**
 * Six kinds of numbers that features hold, drawn from a seed. The histogram must represent them
 * all.
 */
export const distributions: Record<string, (random: () => number) => number> = {
  normal: random => standardNormal(random),
  lognormal: random => Math.exp(standardNormal(random)),
  integers: random => Math.floor(random() * 2000) - 1000,
  'heavy ties': random => (random() < 0.8 ? 0.1 : Math.floor(random() * 5) / 10),
  cauchy: random => Math.tan(Math.PI * (random() - 0.5)),
  'mixed sign with zeros': random =>
    random() < 0.3 ? -0 : (random() - 0.5) * 10 ** (random() * 600 - 300),
};

export function draw(distribution: string, seed: number, count: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => distributions[distribution]!(random));
}

/**
 * Mulberry32 (Tommy Ettinger, public domain): small, and good enough to shuffle and to draw from.
 */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function standardNormal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
