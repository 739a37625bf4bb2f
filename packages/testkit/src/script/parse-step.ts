import type { Step } from '../steps.ts'
import { parseTime } from './times.ts'

const encoder = new TextEncoder()

/** Reads the lines that say what happens. Each becomes one step, but for `append`, which the following ones take with them. */
export class StepParser {
  readonly steps: Step[] = []
  #appendTimeMs = Number.NaN

  /** Returns whether the line is one of what happens. @throws {Error} Saying what is wanted. */
  take(keyword: string, rest: string): boolean {
    const appendTimeMs = this.#appendTimeMs
    switch (keyword) {
      case 'append':
        this.#appendTimeMs = rest === 'none' ? Number.NaN : timeOf(rest)
        return true
      case 'input':
        this.steps.push({ kind: 'readings', bytes: encoder.encode(readingOf(rest)), appendTimeMs })
        return true
      case 'raw':
        this.steps.push({ kind: 'readings', bytes: bytesOf(rest), appendTimeMs })
        return true
      case 'event':
        this.steps.push({ kind: 'events', bytes: encoder.encode(eventOf(rest)), appendTimeMs })
        return true
      case 'raw-event':
        this.steps.push({ kind: 'events', bytes: bytesOf(rest), appendTimeMs })
        return true
      case 'heartbeat':
        this.steps.push({ kind: 'heartbeat', appendTimeMs: timeOf(rest) })
        return true
      case 'activate':
        this.#activate(rest)
        return true
      case 'end':
        this.steps.push({ kind: 'end' })
        return true
      default:
        return false
    }
  }

  /** `version probability from time [threshold 0.5]` */
  #activate(rest: string): void {
    const match = /^(\S+)\s+([\d.]+)\s+from\s+(\S+)(?:\s+threshold\s+([\d.]+))?$/.exec(rest)
    if (match === null) throw new Error('version probability from time [threshold number]')
    const [, version = '', probability, from = '', threshold] = match
    this.steps.push({
      kind: 'activate',
      model: { version, probability: Number(probability), threshold: Number(threshold ?? 0.5) },
      activeFromMs: timeOf(from),
      appendTimeMs: this.#appendTimeMs,
    })
  }
}

/** `time device channel=value…`; `-` for a value that is null. */
function readingOf(rest: string): string {
  const [time = '', deviceId = '', ...values] = rest.split(/\s+/)
  const reading: Record<string, unknown> = { deviceId, timestamp: timeOf(time) }
  for (const text of values) {
    const match = /^([^=]+)=(.+)$/.exec(text)
    if (match === null) throw new Error(`channel=value, found "${text}"`)
    reading[match[1] ?? ''] = match[2] === '-' ? null : Number(match[2])
  }
  return JSON.stringify(reading)
}

/** `time device type [detail]` */
function eventOf(rest: string): string {
  const [time = '', deviceId = '', type = '', ...detail] = rest.split(/\s+/)
  const event: Record<string, unknown> = { deviceId, timestamp: timeOf(time), type }
  if (detail.length > 0) event['detail'] = detail.join(' ')
  return JSON.stringify(event)
}

/** Text as it is, with `\xNN` for a byte and `\times(N, text)` for a repetition, so that long and broken lines can be written. */
function bytesOf(rest: string): Uint8Array {
  const repeated = rest.replace(/\\times\((\d+), ([^)]*)\)/g, (_, count: string, text: string) =>
    text.repeat(Number(count)),
  )
  const parts = repeated.split(/(\\x[\da-fA-F]{2})/)
  return Uint8Array.from(
    parts.flatMap((part) =>
      part.startsWith('\\x') ? [Number.parseInt(part.slice(2), 16)] : [...encoder.encode(part)],
    ),
  )
}

function timeOf(text: string): number {
  const timeMs = parseTime(text)
  if (timeMs === null) throw new Error(`a time such as 12:00:01, found "${text}"`)
  return timeMs
}
