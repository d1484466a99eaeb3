import type { Rejection } from './decodeRecord.ts';

const maxNameCharacters = 256;
const maxNoteCharacters = 2_000;

/**
 * Finds texts of a request that are empty or too long. A note is why somebody asks, and may be
 * longer.
 */
export function checkRequestTexts(
  names: Readonly<Record<string, string | null>>,
  note: string | null,
): Rejection | null {
  for (const [field, text] of Object.entries(names)) {
    if (text === '') return invalid(`${field}: is empty`);
    const mistake = text && lengthMistake(field, text, maxNameCharacters);
    if (mistake) return mistake;
  }
  return note === null ? null : lengthMistake('note', note, maxNoteCharacters);
}

function lengthMistake(field: string, { length }: string, most: number): Rejection | null {
  return length > most
    ? invalid(`${field}: has ${length} characters, at most ${most} are allowed`)
    : null;
}

function invalid(message: string): Rejection {
  return { class: 'invalid-field', message };
}
