import { SingleBar } from 'cli-progress'

/** Shows how far long work has come: a bar with rate and time left on a terminal, nothing where stderr is a file. */
export interface Progress {
  /** @param done In the unit of `total`. @param readings Readings so far, for the rate. */
  update(done: number, readings: number): void
  /** Takes the bar away, so that what is printed next stands on a line of its own. */
  stop(): void
  /** Prints a line on stdout, above the bar where there is one: what a pipe gets does not hang on a terminal. */
  log(line: string): void
}

const refreshMs = 100

/**
 * Starts a progress bar on stderr.
 *
 * @param total Whole of the work, in bytes; 0 where it is not known.
 */
export function startProgress(label: string, total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY)
    return {
      update() {
        // A log file has no use for a bar.
      },
      stop() {
        // Nothing was shown.
      },
      log: (line) => void process.stdout.write(`${line}\n`),
    }
  const bar = new SingleBar({
    stream,
    format: `${label} {bar} {percentage} % · {readings} readings · {rate}/s · {left} left`,
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    fps: 1000 / refreshMs,
  })
  const startedMs = performance.now()
  let shownMs = startedMs - refreshMs
  bar.start(Math.max(total, 1), 0, { readings: '0', rate: '0', left: '–' })
  return {
    update(done, readings) {
      const nowMs = performance.now()
      if (nowMs - shownMs < refreshMs && done < total) return
      shownMs = nowMs
      const seconds = (nowMs - startedMs) / 1000
      const left = done > 0 && total > 0 ? formatSeconds((seconds * (total - done)) / done) : '–'
      bar.update(Math.min(done, Math.max(total, 1)), {
        readings: formatCount(readings),
        rate: formatCount(Math.round(readings / Math.max(seconds, 0.001))),
        left,
      })
    },
    stop: () => bar.stop(),
    log(line) {
      stream.write('\r\u001b[K')
      process.stdout.write(`${line}\n`)
    },
  }
}

/** Prints a count with thin groups of three, for a person: `1 234 567`. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ' ')
}

/** Prints a time span for a person: `7 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** Prints bytes for a person, in powers of ten: `1.2 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const
  let value = bytes
  let index = 0
  while (value >= 1000 && index < units.length - 1) {
    value /= 1000
    index += 1
  }
  return `${index === 0 ? value : value.toFixed(1)} ${units[index]}`
}
