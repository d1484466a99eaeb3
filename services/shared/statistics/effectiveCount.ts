/** nm / (n + m): the records in one sample that tell as much about a known distribution as n and m about each other. 0 if either is. */
export function effectiveCount(reference: number, recent: number): number {
  return reference === 0 ? 0 : (reference * recent) / (reference + recent);
}
