/** Entries of a map that only saves queries. */
export const maxSavedQueries = 100_000;

/** Empties a map that only saves queries, once it is too large. Its entries are looked up again. */
export function forgetIfFull(saved: Map<string, unknown>): void {
  if (saved.size > maxSavedQueries) saved.clear();
}
