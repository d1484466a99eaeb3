import type { VersionRequest } from '../../shared/contracts.ts';
import { checkRequestTexts } from '../../shared/records/checkRequestTexts.ts';
import type { Rejection } from '../../shared/records/decodeRecord.ts';

/** Finds what a request lacks, or has too much of, beyond its types. */
export function checkVersionRequest(request: VersionRequest): Rejection | null {
  const { id, model, version, requestedBy, note } = request;
  return checkRequestTexts({ id, model, version, requestedBy }, note);
}
