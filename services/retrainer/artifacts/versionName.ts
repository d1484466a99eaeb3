/**
 * Returns the name of the next version. If the champion's name is a whole number, it is the first
 * free number above it; if not, it is the champion's name followed by the first free `+n`.
 * @param taken all names that predictions or earlier candidates have, including rejected ones
 * @example nextVersionName('1', new Set(['1', '2'])) // '3'
 * @example nextVersionName('2024-06', new Set(['2024-06'])) // '2024-06+1'
 * @example nextVersionName('2024-06+1', new Set(['2024-06', '2024-06+1'])) // '2024-06+2'
 */
export function nextVersionName(champion: string, taken: ReadonlySet<string>): string {
  if (/^\d{1,15}$/.test(champion)) return firstFree(Number(champion) + 1, String, taken);
  const base = champion.replace(/\+\d+$/, '');
  return firstFree(1, number => `${base}+${number}`, taken);
}

function firstFree(
  start: number,
  name: (number: number) => string,
  taken: ReadonlySet<string>,
): string {
  let number = start;
  while (taken.has(name(number))) number++;
  return name(number);
}
