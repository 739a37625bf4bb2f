/** Monotone counts; the keys are metric names with their labels folded in, as `OperatorCounters` has them. */
export interface Counters {
  add(name: string, labels?: Readonly<Record<string, string>>, count?: number): void
  /** A copy of what was counted so far. */
  read(): Record<string, number>
}

/** Label values come from fixed sets (routes, status codes, reasons), so that the counts have a bound. */
export function createCounters(): Counters {
  const counts = new Map<string, number>()
  return {
    add(name, labels = {}, count = 1) {
      const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
      const key = pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`
      counts.set(key, (counts.get(key) ?? 0) + count)
    },
    read: () => Object.fromEntries(counts),
  }
}
