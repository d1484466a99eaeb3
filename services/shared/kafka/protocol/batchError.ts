/** Why a whole batch of records cannot be read; its class among the dead letters. */
export type BatchErrorClass = 'batch-too-large' | 'malformed-batch';

/** Says why a batch of records cannot be read. */
export class BatchError extends Error {
  override readonly name = 'BatchError';
  readonly class: BatchErrorClass;

  constructor(errorClass: BatchErrorClass, message: string) {
    super(message);
    this.class = errorClass;
  }
}

export function malformed(message: string): BatchError {
  return new BatchError('malformed-batch', message);
}
