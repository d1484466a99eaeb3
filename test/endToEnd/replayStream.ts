/** Returns a random generator with a seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface StreamOptions {
  rows: number;
  rowsPerHour: number;
  /** First row at which the feature `age` is three standard deviations higher. */
  shiftAtRow?: number;
}

export const streamStartMs = Date.UTC(2026, 0, 5);

/**
 * Makes lines of predictions of one model, evenly spread over event time, and of feedback half an
 * hour later.
 */
export function replayStream({
  rows,
  rowsPerHour,
  shiftAtRow = Number.POSITIVE_INFINITY,
}: StreamOptions) {
  const random = randomNumbers(7);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const predictions: string[] = [];
  const feedback: string[] = [];
  for (let row = 0; row < rows; row++) {
    const timeMs = streamStartMs + Math.floor((row * 3_600_000) / rowsPerHour);
    const age = 40 + 10 * normal() + (row >= shiftAtRow ? 30 : 0);
    const income = Math.exp(10 + normal() / 2);
    const plan = random() < 0.6 ? 'basic' : 'pro';
    const score = 1 / (1 + Math.exp(-(age - 40) / 10));
    const id = `row-${row}`;
    predictions.push(
      JSON.stringify({
        id,
        model: 'churn',
        version: '1',
        // Use both ways to write a time.
        time: row % 2 === 0 ? timeMs : new Date(timeMs).toISOString(),
        features: { age, income, plan, active: random() < 0.5 },
        prediction: score > 0.5 ? 'leaves' : 'stays',
        score,
      }),
    );
    feedback.push(
      JSON.stringify({
        id,
        label: random() < score ? 'leaves' : 'stays',
        time: new Date(timeMs + 1_800_000).toISOString(),
      }),
    );
  }
  return { predictions, feedback };
}
