/** Bounds of DateTime64: windows outside do not exist. */
export const earliestMs = Date.UTC(1900, 0, 1);
export const latestMs = Date.UTC(2299, 0, 1);
