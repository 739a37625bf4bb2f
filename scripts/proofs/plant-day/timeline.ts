/** What happened, what the plant said of it, what its metrics said: in the order of plant time. */
export class Timeline {
  readonly #entries: { readonly plantMs: number; readonly kind: TimelineKind; readonly text: string }[] = []
  readonly #dayStartMs: number

  constructor(dayStartMs: number) {
    this.#dayStartMs = dayStartMs
  }

  add(plantMs: number, kind: TimelineKind, text: string): void {
    this.#entries.push({ plantMs, kind, text })
  }

  lines(): string[] {
    return this.rows().map(({ time, kind, text }) => `${time.padStart(12)}  ${kind.padEnd(7)}  ${text}`)
  }

  /** Times are those of the day; of other days the day is said before them, counted from this one. */
  rows(): { readonly time: string; readonly kind: TimelineKind; readonly text: string }[] {
    return [...this.#entries]
      .sort((a, b) => a.plantMs - b.plantMs)
      .map(({ plantMs, kind, text }) => ({ time: this.#timeOf(plantMs), kind, text }))
  }

  #timeOf(plantMs: number): string {
    const time = new Date(plantMs).toISOString().slice(11, 16)
    const days = Math.floor((plantMs - this.#dayStartMs) / 86_400_000)
    return days === 0 ? time : `day ${days > 0 ? '+' : ''}${days} ${time}`
  }
}

/** `truth`: what really happened. `alert`, `case`, `status`: what the plant said. `metric`: what it counted. */
export type TimelineKind = 'truth' | 'alert' | 'case' | 'status' | 'metric'
