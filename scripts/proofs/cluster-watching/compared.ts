import { isDeepStrictEqual } from 'node:util'
import type { AlertSignal, CaseMessage } from '../../../packages/core/src/index.ts'
import type { WatchReport } from '../../../packages/monitoring/src/index.ts'

/** What two engines, or two readings of one, are held against each other by. */

/** Without what hangs on when readings were appended: that time itself, when the oldest cases were opened by it, and to which day a machine's refusals are counted while days are read in within seconds. */
export function comparable(report: WatchReport | null): unknown {
  if (report === null) return null
  const { quality, cases } = report
  return {
    ...report,
    readUpTo: null,
    quality: { ...quality, worst: [] },
    cases: { ...cases, oldestOpenedAt: null, oldestUntakenAt: null },
  }
}

/** Messages of `cases` by case, in their order. */
export function byCase(messages: readonly CaseMessage[]): Map<string, CaseMessage[]> {
  const cases = new Map<string, CaseMessage[]>()
  for (const message of messages) cases.set(message.caseId, [...(cases.get(message.caseId) ?? []), message])
  return cases
}

/** The same without append times, as JSON. */
export function comparableCases(messages: readonly CaseMessage[]): unknown {
  const untimed = (message: CaseMessage): unknown => ({
    ...message,
    at: null,
    openedAt: null,
    acknowledgedAt: null,
    resolvedAt: null,
  })
  return Object.fromEntries([...byCase(messages)].map(([caseId, of]) => [caseId, of.map(untimed)]))
}

/** What became of each machine's alerts, by windows, in the order of the topic. */
export function alertMarks(signals: readonly AlertSignal[]): Record<string, string[]> {
  const marks: Record<string, string[]> = {}
  for (const { deviceId, windowEnd, alert } of signals) {
    if (alert === undefined) continue
    const ofDevice = marks[deviceId] ?? []
    marks[deviceId] = ofDevice
    ofDevice.push(`${windowEnd} ${JSON.stringify(alert)}`)
  }
  return marks
}

/** The first field that differs, with both values; `null` where none does. */
export function differenceOf(left: unknown, right: unknown, path = ''): string | null {
  if (isDeepStrictEqual(left, right)) return null
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
  if (isObject(left) && isObject(right))
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const found = differenceOf(left[key], right[key], `${path}.${key}`)
      if (found !== null) return found
    }
  return `(${path}: ${JSON.stringify(left)} and ${JSON.stringify(right)})`
}
