/**
 * Name of the next version: the first whole number above the champion's that is free when the champion's is one,
 * else the champion's with the first free `+n` behind it.
 * @param taken every name that predictions or earlier candidates have, rejected ones too
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
