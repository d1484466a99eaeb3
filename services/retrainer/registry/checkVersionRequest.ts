import type { VersionRequest } from '../../shared/contracts.ts';
import type { Rejection } from '../../shared/records/decodeRecord.ts';

const maxNameCharacters = 256;
export const maxNoteCharacters = 2_000;

/** Finds what a request lacks, or has too much of, beyond its types. */
export function checkVersionRequest(request: VersionRequest): Rejection | null {
  const { id, model, version, requestedBy, note } = request;
  for (const [field, text] of Object.entries({ id, model, version, requestedBy })) {
    if (text === '') return invalid(`${field}: is empty`);
    if (text !== null && text.length > maxNameCharacters)
      return invalid(
        `${field}: has ${text.length} characters, at most ${maxNameCharacters} are allowed`,
      );
  }
  if (note !== null && note.length > maxNoteCharacters)
    return invalid(`note: has ${note.length} characters, at most ${maxNoteCharacters} are allowed`);
  return null;
}

function invalid(message: string): Rejection {
  return { class: 'invalid-field', message };
}
