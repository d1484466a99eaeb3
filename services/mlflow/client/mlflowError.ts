/** A request to MLflow without success. */
export class MlflowError extends Error {
  /** HTTP status; 0 if there was no answer of MLflow. */
  readonly status: number;
  /** MLflow's own code, such as RESOURCE_DOES_NOT_EXIST; '' if the answer has none. */
  readonly code: string;

  constructor(
    request: string,
    { status = 0, code = '', message }: { status?: number; code?: string; message: string },
    options?: ErrorOptions,
  ) {
    super([request, status || 'no answer', code, message].filter(Boolean).join(': '), options);
    this.name = 'MlflowError';
    this.status = status;
    this.code = code;
  }
}

/** Answers that say nothing about what was asked: too busy, or somebody has to log in first. */
const passingStatuses = new Set([401, 403, 407, 408, 425, 429]);

/**
 * Returns whether the same request may succeed later: the server is away, busy, or refuses whoever
 * asks. What it refuses for its content stays refused.
 */
export function isTransientMlflowError(error: unknown): boolean {
  if (!(error instanceof MlflowError)) return false;
  const { status } = error;
  return status === 0 || status >= 500 || passingStatuses.has(status);
}

export function isMissing(error: unknown): boolean {
  return error instanceof MlflowError && error.code === 'RESOURCE_DOES_NOT_EXIST';
}

export function isTaken(error: unknown): boolean {
  return error instanceof MlflowError && error.code === 'RESOURCE_ALREADY_EXISTS';
}
