import fc from 'fast-check';

/**
 * Lets every property draw the same values in each run, so that nothing but a commit decides
 * whether the tests pass. `FAST_CHECK_SEED=7 npm run test:unit` draws others, and
 * `FAST_CHECK_RUNS=5000` more of them where a test states no number of its own.
 */
fc.configureGlobal({
  seed: Number(process.env.FAST_CHECK_SEED ?? 1),
  numRuns: Number(process.env.FAST_CHECK_RUNS ?? 100),
});
