/** Tells a person how far `up` has come: one line that is rewritten on a terminal, rate-limited lines elsewhere. */
export interface ProgressReport {
  /** A step began or ended; always shown. */
  step(text: string): void
  /** How far the present step is. @param done In the unit of `total`. @param total 0 where it is not known. */
  update(text: string, done: number, total: number): void
}

/** Between two lines of `update` where stderr is a file. */
const lineIntervalMs = 5_000
/** Between two drawings on a terminal. */
const drawIntervalMs = 100
const barWidth = 24

/** Reports to nobody. */
export const silentProgress: ProgressReport = {
  step() {
    // Nobody looks.
  },
  update() {
    // Nobody looks.
  },
}

/**
 * Reports to a stream, by default stderr.
 *
 * @param nowMs Monotone clock, milliseconds.
 */
export function streamProgress(
  stream: { isTTY?: boolean; write(text: string): unknown } = process.stderr,
  nowMs: () => number = () => performance.now(),
): ProgressReport {
  const terminal = stream.isTTY === true
  const intervalMs = terminal ? drawIntervalMs : lineIntervalMs
  let shownMs = Number.NEGATIVE_INFINITY
  const clear = terminal ? '\r\u001b[K' : ''
  return {
    step(text) {
      stream.write(`${clear}${text}\n`)
      shownMs = terminal ? Number.NEGATIVE_INFINITY : nowMs()
    },
    update(text, done, total) {
      if (nowMs() - shownMs < intervalMs) return
      shownMs = nowMs()
      stream.write(terminal ? `${clear}${bar(done, total)} ${text}` : `${text}${percentText(done, total)}\n`)
    },
  }
}

function bar(done: number, total: number): string {
  if (total <= 0) return '…'
  const filled = Math.round(Math.min(1, done / total) * barWidth)
  return `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}`
}

function percentText(done: number, total: number): string {
  return total <= 0 ? '' : ` (${Math.floor(Math.min(1, done / total) * 100)} %)`
}
