import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { AlertSignal, Plan } from '@millwright/core'
import { alertText } from '../terminal/alert-text.ts'

/** Where high-risk alerts go beside the topic: at least once each, since a crash may come between. */
export interface Sinks {
  send(alert: AlertSignal, line: string): void
  close(): void
}

/**
 * Opens the plan's sinks.
 *
 * @param print Writes one block of text for a person.
 */
export function openSinks(plan: Plan, dataDirectory: string, print: (text: string) => void): Sinks {
  const units = new Map(plan.features.map(({ name, unit }) => [name, unit]))
  const files = plan.sinks.flatMap((sink) => {
    if (sink.kind !== 'file') return []
    const path = join(dataDirectory, sink.path)
    mkdirSync(dirname(path), { recursive: true })
    return [openSync(path, 'a')]
  })
  const toConsole = plan.sinks.some((sink) => sink.kind === 'console')
  return {
    send(alert, line) {
      if (toConsole) print(alertText(alert, units))
      for (const file of files) writeSync(file, `${line}\n`)
    },
    close() {
      for (const file of files) closeSync(file)
    },
  }
}
