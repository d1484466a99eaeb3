/**
 * Returns how many records a comparison of two samples is worth: nm / (n + m). A single sample of
 * that size tells as much about a known distribution as samples of n and m records tell about each
 * other. 0 if either sample is empty.
 *
 * @example effectiveCount(300, 100) // 75
 */
export function effectiveCount(reference: number, recent: number): number {
  return reference === 0 ? 0 : (reference * recent) / (reference + recent);
}
