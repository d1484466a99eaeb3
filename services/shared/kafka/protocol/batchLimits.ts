/** What one batch of records may cost before it is set aside whole. */
export interface BatchLimits {
  /** Bytes of the records after decompression. */
  maxBytes: number;
  maxRecords: number;
  /** Headers of all records together. */
  maxHeaders: number;
}

/**
 * The limits of a service. Producers fill batches of up to 1 MiB, compressed, so ordinary ones stay
 * far below. A batch at all of these limits takes about 130 MiB.
 */
export const batchLimits: BatchLimits = {
  maxBytes: 32 * 1024 * 1024,
  maxRecords: 200_000,
  maxHeaders: 500_000,
};
