import type { AlertMark, AlertSeverity, AlertSignal, DeviceStatus } from '@millwright/core'
import { dayMs, hourMs, seeded, signalOf, startMs } from './random-plant.ts'

/** One record that a book of cases takes. */
export type CaseRecord = { readonly atMs: number } & (
  | { readonly topic: 'alert-signals'; readonly signal: AlertSignal }
  | { readonly topic: 'device-status'; readonly status: DeviceStatus }
  | { readonly topic: 'case-commands'; readonly text: string }
)

/** Short spans, so that within a random plant cases expire, are forgotten, and are followed by others. */
export const shortCaseRules = {
  resolvedKeptMs: 2 * dayMs,
  expireAfterMs: 3 * dayMs,
  followAfterMs: hourMs,
  followAgainAfterMs: 2 * hourMs,
}

/**
 * Four machines over some days with alerts that come and go, revisions, silences, and people who do things to cases that are there, were there, or never
 * were. In order of append time, several records often sharing one. In every other plant alerts go on for long, as they do on machines of which somebody
 * says again and again that nothing is wrong.
 */
export function randomCaseRecords(seed: number, marked: boolean): CaseRecord[] {
  const random = seeded(seed)
  const isSteady = seed % 2 === 0
  const pick = (count: number): number => Math.floor(random() * count)
  const choose = <T>(from: readonly T[]): T => from[pick(from.length)] as T
  const records: CaseRecord[] = []
  const devices = ['a', 'b', 'c', 'd'].map((deviceId) => ({
    deviceId,
    alerted: false,
    severity: 'warning' as AlertSeverity,
    windowEnd: startMs,
    known: [] as string[],
    since: 0,
    /** The end of an alert that is told after the next one was raised. */
    late: null as DeviceStatus | null,
  }))
  let atMs = startMs
  let ids = 0
  for (let i = 0; i < 250; i++) {
    if (random() < 0.7) atMs += choose([1, 1000, hourMs / 4, hourMs, 7 * hourMs])
    const device = choose(devices)
    const { deviceId } = device
    const chance = random()
    if (chance < 0.55) {
      const isRevision = random() < 0.1
      const windowEnd = isRevision
        ? Math.max(startMs + hourMs, device.windowEnd - pick(3) * hourMs)
        : device.windowEnd + hourMs
      device.windowEnd = Math.max(device.windowEnd, windowEnd)
      const was = device.alerted
      if (!isRevision && random() < (was && isSteady ? 0.03 : 0.35)) device.alerted = !was
      if (random() < 0.2) device.severity = choose(['warning', 'major', 'critical'])
      device.known.push(`${deviceId}@${windowEnd}`)
      const high = isRevision ? random() < 0.5 : marked ? random() < 0.6 : device.alerted
      const plain = signalOf(deviceId, windowEnd, Math.fround(high ? 0.81 + 0.19 * random() : 0.8 * random()), {
        revision: isRevision ? 1 : 0,
      })
      const mark: AlertMark['mark'] | null = device.alerted ? (was ? 'holding' : 'raising') : was ? 'clearing' : null
      if (mark === 'raising') device.since = windowEnd
      const alert = marked && mark !== null ? { alert: { mark, severity: device.severity, since: device.since } } : {}
      const why = high ? { why: [{ feature: 'f', value: i, contribution: 1 }] } : {}
      records.push({ atMs, topic: 'alert-signals', signal: { ...plain, ...why, ...alert } })
      if (device.late !== null && mark !== null) {
        records.push({ atMs, topic: 'device-status', status: device.late })
        device.late = null
      }
    } else if (chance < 0.6 && marked && device.alerted) {
      const { since, severity } = device
      const status = { deviceId, kind: 'alert-cleared', at: atMs, cause: 'timed', severity, since } as const
      device.alerted = false
      if (device.late === null && random() < 0.5) device.late = status
      else records.push({ atMs, topic: 'device-status', status })
    } else if (chance < 0.65) {
      const kind = choose(['device-silent', 'device-returned', 'device-forgotten'] as const)
      records.push({ atMs, topic: 'device-status', status: { deviceId, kind, at: atMs } })
      if (kind === 'device-forgotten') device.alerted = false
    } else {
      // Ids come again, cases are guessed: most of what people do fits, and enough does not.
      const id = `command-${random() < 0.1 ? pick(ids + 1) : ids++}`
      const newest = device.known.slice(isSteady ? -2 : -6)
      const caseId = choose([...newest, ...device.known.slice(0, 1), `${deviceId}@1`])
      const command = choose(['acknowledge', 'assign', 'comment', 'resolve', 'resolve', 'reopen', 'link'])
      const verdict = choose(['failure-confirmed', 'false-alarm', 'unclear'])
      const failed =
        verdict === 'failure-confirmed' && random() < 0.5 ? { failureAt: startMs + pick(200) * (hourMs / 2) } : {}
      const seen = random() < 0.2 ? { seen: pick(6) } : {}
      const span = random() < 0.1 ? { from: startMs + pick(100) * hourMs } : {}
      const document = {
        id,
        caseId,
        deviceId,
        command,
        by: choose(['Jo', 'Kim']),
        verdict,
        comment: 'so',
        assignee: 'Lu',
        to: `WO-${pick(4)}`,
        ...failed,
        ...seen,
        ...span,
      }
      if (command !== 'resolve' && command !== 'link') Object.assign(document, { to: undefined })
      if (command === 'resolve') Object.assign(document, { to: undefined })
      records.push({ atMs, topic: 'case-commands', text: random() < 0.02 ? 'no command' : JSON.stringify(document) })
    }
  }
  return records
}
