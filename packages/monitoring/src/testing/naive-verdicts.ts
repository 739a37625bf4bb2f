import type { AlertSignal, MaintenanceFeedback } from '@millwright/core'
import type { VerdictRules } from '../verdicts/verdict-join.ts'

/** What the naive oracle counts for one model version; the names are those of the report. */
export interface NaiveCounts {
  windows: Record<string, number>
  events: Record<string, number>
  caught: number
  missed: number
  leadMinutes: number[]
}

type Window = { start: number; end: number; model: string; high: boolean }

/**
 * The rules of docs/decisions/verdicts.md written down plainly: every window and every verdict is kept for ever, each
 * window is looked at by itself, and all is counted again at each question. The oracle of VerdictJoin.
 */
export function naiveVerdicts(
  signals: readonly AlertSignal[],
  feedback: readonly MaintenanceFeedback[],
  rules: VerdictRules,
): Record<string, NaiveCounts> {
  const result: Record<string, NaiveCounts> = {}
  const of = (model: string): NaiveCounts => {
    result[model] ??= {
      windows: {
        truePositive: 0,
        falsePositive: 0,
        trueNegative: 0,
        falseNegative: 0,
        presumedNegative: 0,
        pendingNormal: 0,
        unjudgedHigh: 0,
        unclear: 0,
      },
      events: { true: 0, false: 0, unclear: 0, unjudged: 0 },
      caught: 0,
      missed: 0,
      leadMinutes: [],
    }
    return result[model] as NaiveCounts
  }
  const count = (group: Record<string, number>, name: string): void => {
    group[name] = (group[name] ?? 0) + 1
  }
  for (const deviceId of new Set([...signals, ...feedback].map((record) => record.deviceId))) {
    const byEnd = new Map<number, Window>()
    let clock = Number.NEGATIVE_INFINITY
    for (const signal of signals.filter((one) => one.deviceId === deviceId)) {
      of(signal.model.version)
      byEnd.set(signal.windowEnd, {
        start: signal.windowStart,
        end: signal.windowEnd,
        model: signal.model.version,
        high: signal.status !== 'Normal',
      })
      clock = Math.max(clock, signal.windowEnd)
    }
    const windows = [...byEnd.values()].sort((a, b) => a.end - b.end)
    const verdicts = standing(
      feedback.filter((one) => one.deviceId === deviceId),
      rules.horizonMs,
    )
    const labelOf = ({ end }: Window): string => {
      const over = verdicts.filter(({ from, to }) => from < end && end <= to).map(({ verdict }) => verdict)
      if (over.includes('failure-confirmed') || over.includes('missed-failure')) return 'failing'
      if (over.includes('false-alarm')) return 'healthy'
      return over.includes('unclear') ? 'unclear' : 'none'
    }
    for (const window of windows) {
      const counts = of(window.model).windows
      const label = labelOf(window)
      if (label === 'unclear') count(counts, 'unclear')
      else if (label === 'failing') count(counts, window.high ? 'truePositive' : 'falseNegative')
      else if (label === 'healthy') count(counts, window.high ? 'falsePositive' : 'trueNegative')
      else if (window.high) count(counts, 'unjudgedHigh')
      else if (window.end <= clock - rules.presumedAfterMs) {
        count(counts, 'presumedNegative')
        count(counts, 'trueNegative')
      } else count(counts, 'pendingNormal')
    }
    let event: Window[] = []
    const close = (): void => {
      if (event.length === 0) return
      const labels = event.map(labelOf)
      const judged = { failing: 'true', healthy: 'false', unclear: 'unclear', none: 'unjudged' }
      const strongest = (['failing', 'healthy', 'unclear', 'none'] as const).find((label) => labels.includes(label))
      count(of((event[0] as Window).model).events, judged[strongest ?? 'none'])
      event = []
    }
    for (const window of windows.filter(({ high }) => high)) {
      const last = event.at(-1)
      if (last !== undefined && (last.model !== window.model || window.start - last.end > rules.eventGapMs)) close()
      event.push(window)
    }
    close()
    // Failures whose spans overlap are one: grown until nothing overlaps any more.
    let failures = verdicts
      .filter(({ verdict }) => verdict === 'failure-confirmed' || verdict === 'missed-failure')
      .map(({ from, to, failureAt }) => ({ from, to, at: failureAt ?? to }))
    for (;;) {
      const b = failures.find((one) => failures.some((a) => a !== one && a.from < one.to && one.from < a.to))
      const a = failures.find((one) => b !== undefined && one !== b && one.from < b.to && b.from < one.to)
      if (a === undefined || b === undefined) break
      const both = { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to), at: Math.min(a.at, b.at) }
      failures = [...failures.filter((one) => one !== a && one !== b), both]
    }
    for (const { from, to, at } of failures) {
      const within = windows.filter(({ end }) => from < end && end <= to)
      for (const model of new Set(within.map((window) => window.model))) {
        const alarm = within.find((window) => window.model === model && window.high && window.end <= at)
        if (alarm === undefined) of(model).missed += 1
        else {
          of(model).caught += 1
          of(model).leadMinutes.push(Math.floor((at - alarm.end) / 60_000))
        }
      }
    }
  }
  for (const { leadMinutes } of Object.values(result)) leadMinutes.sort((a, b) => a - b)
  return result
}

function standing(records: readonly MaintenanceFeedback[], horizonMs: number): MaintenanceFeedback[] {
  const kept: MaintenanceFeedback[] = []
  for (const record of records) {
    if (record.recordedAt - record.from > horizonMs) continue
    const place = kept.findIndex(({ id, from }) => id === record.id && record.recordedAt - from <= horizonMs)
    if (place < 0) kept.push(record)
    else if (record.revision > (kept[place] as MaintenanceFeedback).revision) kept[place] = record
  }
  return kept.filter(({ verdict }) => verdict !== 'withdrawn')
}
