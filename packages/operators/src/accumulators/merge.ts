import {
  type AccumulatorLayout,
  partExtremes,
  partFirst,
  partLast,
  partMoment2,
  partMoment3,
  partMoment4,
  partSlope,
  partSum,
} from './layout.ts'

/**
 * Adds the values of one window to those of another. Where both have a first or last value of one time, that of the window which
 * takes arrived first.
 *
 * Source: Pébay, "Formulas for robust, one-pass parallel computation of covariances and arbitrary-order statistical moments", Sandia
 * SAND2008-6212, equations 3.1. How single values are added, and from where: `fold-plain.ts` of the kernels.
 *
 * @param fields Holds both windows.
 * @param intoBase Where the accumulators of the window begin that takes.
 */
export function merge(layout: AccumulatorLayout, fields: Float64Array, intoBase: number, fromBase: number): void {
  const into = fields
  const from = fields
  for (const { parts, offset } of layout.channels) {
    let a = intoBase + offset
    let b = fromBase + offset
    const na = into[a] as number
    const nb = from[b] as number
    if (nb === 0) continue
    const n = na + nb
    into[a] = n
    a += 1
    b += 1
    // Into an empty window all is taken; so is NaN, which says that the values are not known: then they are not known of both.
    const taken = (value: number): boolean => na === 0 || Number.isNaN(value)
    const skip = (fields: number): void => {
      a += fields
      b += fields
    }
    if ((parts & partSum) !== 0) {
      const x = into[a] as number
      const y = from[b] as number
      const sum = x + y
      into[a + 1] =
        (into[a + 1] as number) + (from[b + 1] as number) + (Math.abs(x) >= Math.abs(y) ? x - sum + y : y - sum + x)
      into[a] = sum
      skip(2)
    }
    if ((parts & partMoment2) !== 0) {
      if (taken(from[b] as number)) into[a] = from[b] as number
      // Difference of the two means: the origins' first, which is small and exact where both windows are of one level.
      const difference = (from[b] as number) - (into[a] as number) + ((from[b + 1] as number) - (into[a + 1] as number))
      const m2a = into[a + 2] as number
      const m2b = from[b + 2] as number
      const step = difference / n
      const term = difference * step * na * nb
      into[a + 1] = (into[a + 1] as number) + step * nb
      into[a + 2] = m2a + m2b + term
      skip(3)
      if ((parts & partMoment3) !== 0) {
        const m3a = into[a] as number
        const m3b = from[b] as number
        into[a] = m3a + m3b + term * step * (na - nb) + 3 * step * (na * m2b - nb * m2a)
        skip(1)
        if ((parts & partMoment4) !== 0) {
          into[a] =
            (into[a] as number) +
            (from[b] as number) +
            term * step * step * (na * na - na * nb + nb * nb) +
            6 * step * step * (na * na * m2b + nb * nb * m2a) +
            4 * step * (na * m3b - nb * m3a)
          skip(1)
        }
      }
      if ((parts & partSlope) !== 0) {
        if (taken(from[b] as number)) into[a] = from[b] as number
        const elapsed = (from[b] as number) - (into[a] as number) + ((from[b + 1] as number) - (into[a + 1] as number))
        const elapsedStep = elapsed / n
        into[a + 1] = (into[a + 1] as number) + elapsedStep * nb
        into[a + 2] = (into[a + 2] as number) + (from[b + 2] as number) + elapsed * elapsedStep * na * nb
        into[a + 3] = (into[a + 3] as number) + (from[b + 3] as number) + elapsedStep * difference * na * nb
        skip(4)
      }
    }
    if ((parts & partExtremes) !== 0) {
      if (taken(from[b] as number) || (from[b] as number) < (into[a] as number)) into[a] = from[b] as number
      if (taken(from[b + 1] as number) || (from[b + 1] as number) > (into[a + 1] as number))
        into[a + 1] = from[b + 1] as number
      skip(2)
    }
    if ((parts & partFirst) !== 0) {
      if (taken(from[b] as number) || (from[b] as number) < (into[a] as number)) {
        into[a] = from[b] as number
        into[a + 1] = from[b + 1] as number
      }
      skip(2)
    }
    if ((parts & partLast) !== 0 && (taken(from[b] as number) || (from[b] as number) >= (into[a] as number))) {
      into[a] = from[b] as number
      into[a + 1] = from[b + 1] as number
    }
  }
}
