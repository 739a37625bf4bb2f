/**
 * Stands for a value that was there but was not kept: a window ended, or a reading came, under an earlier plan that did not want it.
 *
 * Unlike NaN (missing: there is no value) it says nothing of what the value was, so no feature may be calculated from it: each
 * feature that would is missing. Readings and remembered features are finite or NaN, so infinity is free to mean this.
 */
export const notKnown: number = Number.POSITIVE_INFINITY
