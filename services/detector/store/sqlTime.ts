/** Reads a DateTime64 column as ms since the epoch. */
export const msOf = (column: string) => `toUnixTimestamp64Milli(${column})`;

/** Turns ms since the epoch, given as SQL, into a DateTime64. */
export const timeOf = (ms: string) => `fromUnixTimestamp64Milli(${ms})`;
