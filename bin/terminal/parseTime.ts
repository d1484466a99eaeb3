import { InvalidArgumentError } from 'commander';

/** Reads the value of an option that is a time, in ms. */
export function parseTime(text: string): number {
  // A time without a zone is UTC, as everywhere else.
  const isLocal = /T\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text);
  const timeMs = Date.parse(isLocal ? `${text}Z` : text);
  if (Number.isNaN(timeMs))
    throw new InvalidArgumentError('Expected a time such as 2026-05-03T14:00Z.');
  return timeMs;
}
