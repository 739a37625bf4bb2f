import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type AlertSignal, alertSeverities, type Plan } from '@millwright/core'
import { alertText } from '../terminal/alert-text.ts'

/**
 * Where high-risk alerts go beside the topic: at least once each, since a crash may come between. Under an alert policy, those windows go
 * that raise an alert or make it graver; without one, every window at high risk.
 *
 * S1. A sink that fails does not hold up or stop the plant: the alert is on its topic whatever becomes of it here.
 * S2. A file holds whole lines only, also when the disk was full in the middle of one.
 */
export interface Sinks {
  send(alert: AlertSignal, line: string): void
  close(): void
}

/**
 * Opens the plan's sinks.
 *
 * @param print Writes one block of text for a person.
 * @param complain Told once when a file cannot be written, and once when it can again.
 * @throws The system's error when a file cannot be opened: it is in the data folder, where the plant must be able to write.
 */
export function openSinks(
  plan: Plan,
  dataDirectory: string,
  print: (text: string) => void,
  complain: (text: string) => void = () => undefined,
): Sinks {
  const units = new Map(plan.features.map(({ name, unit }) => [name, unit]))
  const files = plan.sinks.flatMap((sink) =>
    sink.kind === 'file' ? [new AlertFile(join(dataDirectory, sink.path), complain)] : [],
  )
  const toConsole = plan.sinks.some((sink) => sink.kind === 'console')
  return {
    send(alert, line) {
      if (plan.alert.rules !== undefined && !isNews(alert)) return
      if (toConsole) print(alertText(alert, units))
      for (const file of files) file.write(`${line}\n`)
    },
    close() {
      for (const file of files) file.close()
    },
  }
}

/** Whether a window raised an alert or made it graver. */
function isNews({ alert }: AlertSignal): boolean {
  if (alert === undefined) return false
  const { mark, severity, before } = alert
  if (before !== undefined) return alertSeverities.indexOf(severity) > alertSeverities.indexOf(before)
  return mark === 'raising'
}

class AlertFile {
  readonly #path: string
  readonly #complain: (text: string) => void
  readonly #descriptor: number
  #lostCount = 0

  constructor(path: string, complain: (text: string) => void) {
    mkdirSync(dirname(path), { recursive: true })
    this.#path = path
    this.#complain = complain
    this.#descriptor = openSync(path, 'a')
  }

  write(line: string): void {
    const bytes = Buffer.from(line)
    const before = fstatSync(this.#descriptor).size
    try {
      // A full disk takes a part before it refuses.
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#descriptor, bytes, written)
    } catch (error) {
      this.#cutBack(before)
      if (this.#lostCount === 0)
        this.#complain(
          `Cannot write alerts to ${this.#path} (${String(error)}): they are on alert-signals all the same.`,
        )
      this.#lostCount += 1
      return
    }
    if (this.#lostCount > 0) this.#complain(`${this.#path} is written again; ${this.#lostCount} alerts are not in it.`)
    this.#lostCount = 0
  }

  /** S2. What cannot be cut, such as a device, has no half lines to keep either. */
  #cutBack(length: number): void {
    if (fstatSync(this.#descriptor).isFile()) ftruncateSync(this.#descriptor, length)
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}
