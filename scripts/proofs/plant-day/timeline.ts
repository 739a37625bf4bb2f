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
    return [...this.#entries]
      .sort((a, b) => a.plantMs - b.plantMs)
      .map(({ plantMs, kind, text }) => `${this.#timeOf(plantMs)}  ${kind.padEnd(7)}  ${text}`)
  }

  #timeOf(plantMs: number): string {
    const [date = '', time = ''] = new Date(plantMs).toISOString().split('T')
    const days = Math.floor((plantMs - this.#dayStartMs) / 86_400_000)
    return `${days === 0 ? '          ' : date} ${time.slice(0, 5)}`
  }
}

/** `truth`: what really happened. `alert`, `case`, `status`: what the plant said. `metric`: what it counted. */
export type TimelineKind = 'truth' | 'alert' | 'case' | 'status' | 'metric'
