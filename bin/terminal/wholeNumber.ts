import { InvalidArgumentError } from 'commander';

/** Reads the value of an option that has to be 1, 2, ... */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number of at least 1');
  return value;
}
