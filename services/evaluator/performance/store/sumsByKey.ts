/** Returns the sums of ClickHouse's sumMap as an array of (key, sum, …). */
export function sumsByKey(sums: string, count: number): string {
  const parts = Array.from({ length: count + 1 }, (_, part) => `${sums}.${part + 1}`);
  return `arrayZip(${parts.join(', ')})`;
}
