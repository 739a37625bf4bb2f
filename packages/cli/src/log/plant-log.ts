import pino from 'pino'
import { type LogCode, logCodes, type Say } from './log-codes.ts'
import { textWithoutSecrets, withoutSecrets } from './without-secrets.ts'

export type LogFormat = 'text' | 'json'

/** A warning or error that has been told is told again after so long, with how often it came meanwhile. */
const repeatAfterMs = 60_000

interface Told {
  atMs: number
  /** Since then, not told. */
  heldBack: number
}

/**
 * The log of a running plant, on stderr: text for a person, each message after its code, or a line of JSON per message.
 *
 * L1. No secret is in it, in whichever format (`withoutSecrets`).
 * L2. A warning or an error of one code is told at most once a minute; the next one says how many were held back, and so does `close`.
 *     What is only said once, all other messages, is always told.
 */
export class PlantLog {
  readonly #write: (code: LogCode, text: string, details: object) => void
  readonly #elapsedMs: () => number
  readonly #told = new Map<LogCode, Told>()

  /**
   * @param options.write Gets whole lines.
   * @param options.elapsedMs Milliseconds of a clock that never falls.
   */
  constructor(options: {
    readonly format: LogFormat
    readonly write: (lines: string) => void
    readonly elapsedMs: () => number
  }) {
    this.#elapsedMs = options.elapsedMs
    this.#write =
      options.format === 'json' ? jsonWriter(options.write) : (code, text) => options.write(`${code}: ${text}\n`)
  }

  readonly say: Say = (code, text, details = {}) => {
    if (logCodes[code] === 'info') {
      this.#tell(code, text, details)
      return
    }
    const nowMs = this.#elapsedMs()
    const told = this.#told.get(code)
    if (told !== undefined && nowMs - told.atMs < repeatAfterMs) {
      told.heldBack += 1
      return
    }
    const heldBack = told?.heldBack ?? 0
    this.#told.set(code, { atMs: nowMs, heldBack: 0 })
    if (heldBack === 0) this.#tell(code, text, details)
    else this.#tell(code, `${text} (and ${heldBack} more like it in the last minutes)`, { ...details, heldBack })
  }

  /** Tells of what was held back and not followed by anything. */
  close(): void {
    for (const [code, { heldBack }] of this.#told)
      if (heldBack > 0) this.#tell(code, `It came ${heldBack} more times.`, { heldBack })
    this.#told.clear()
  }

  #tell(code: LogCode, text: string, details: Readonly<Record<string, unknown>>): void {
    this.#write(code, textWithoutSecrets(text), withoutSecrets(details) as object)
  }
}

function jsonWriter(write: (lines: string) => void): (code: LogCode, text: string, details: object) => void {
  const logger = pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write },
  )
  return (code, text, details) => logger[logCodes[code]]({ code, ...details }, text)
}
