/** Bounds of the type DateTime64(3), so no window starts earlier or later. */
export const earliestMs = Date.UTC(1900, 0, 1);
export const latestMs = Date.UTC(2299, 0, 1);
