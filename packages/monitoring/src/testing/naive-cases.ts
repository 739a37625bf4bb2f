import { type AlertSignal, type CaseEvidence, type CaseRefusal, limits, readCaseCommand } from '@millwright/core'
import type { CaseRules } from '../cases/case-book.ts'
import type { CaseRecord } from './random-cases.ts'

/**
 * The oracle of `CaseBook`: each machine by itself, all that ever became of it kept, cases found by looking through them.
 * What is compared is what decides: which changes, of which cases, when, with which verdicts and evidence.
 */
export interface NaiveChange {
  readonly caseId: string
  readonly sequence: number
  readonly change: string
  readonly at: number
  readonly status: string
  readonly alerting: boolean
  readonly severity: string
  readonly device: string
  readonly assignee: string | null
  readonly span: string
  readonly verdict: string | null
  readonly follows: string | null
  readonly evidence: readonly CaseEvidence[]
}

interface NaiveCase {
  readonly caseId: string
  sequence: number
  status: 'open' | 'acknowledged' | 'resolved'
  alerting: boolean
  severity: string
  device: string
  from: number
  to: number
  readonly windows: AlertSignal[]
  touchedBy: number
  changedAt: number
  resolvedAt: number
  assignee: string | null
  verdict: string | null
  readonly follows: string | null
  readonly links: string[]
  readonly commands: string[]
}

const order = ['warning', 'minor', 'major', 'critical']
const hourMs = 3_600_000

export function naiveCases(records: readonly CaseRecord[], marked: boolean, rules: CaseRules) {
  const refused: Partial<Record<CaseRefusal, number>> = {}
  const refuse = (reason: CaseRefusal): void => {
    refused[reason] = (refused[reason] ?? 0) + 1
  }
  // Hours of append time are looked back on at the first record after them, for every machine.
  let hour = 0
  const steps = records.map((record) => {
    const sweep = Math.floor(record.atMs / hourMs) > hour
    hour = Math.max(hour, Math.floor(record.atMs / hourMs))
    return { record, sweep }
  })
  const commandOf = (record: CaseRecord) =>
    record.topic === 'case-commands' ? readCaseCommand(record.text) : ({ kind: 'none' } as const)
  const deviceOf = (record: CaseRecord): string | null => {
    if (record.topic === 'alert-signals') return record.signal.deviceId
    if (record.topic === 'device-status') return record.status.deviceId
    const read = commandOf(record)
    return read.kind === 'command' ? read.command.deviceId : null
  }
  for (const { record } of steps) if (commandOf(record).kind === 'refused') refuse('malformed')

  const changes: (NaiveChange & { step: number; deviceId: string; order: number })[] = []
  for (const deviceId of new Set(records.map(deviceOf))) {
    if (deviceId === null) continue
    const all: NaiveCase[] = []
    let alerting = false
    /** Of the alert that stands, which one it is. */
    let since: number | null = null
    let newest = 0
    let answered: { readonly of: NaiveCase; readonly severity: string; readonly atWindowEnd: number } | null = null
    const open = (): NaiveCase | undefined => all.find(({ status }) => status !== 'resolved')
    const remembered = (): NaiveCase[] => {
      const resolved = all.filter(({ status }) => status === 'resolved').slice(-limits.resolvedCasesPerDeviceMax)
      return all.filter((each) => each.status !== 'resolved' || resolved.includes(each))
    }
    for (const [step, { record, sweep }] of steps.entries()) {
      const { atMs } = record
      let index = 0
      const say = (of: NaiveCase, change: string): void => {
        of.sequence += 1
        of.changedAt = atMs
        const points = of.windows.map(({ windowEnd, probability }) => ({ windowEnd, probability }))
        const evidence =
          points.length > limits.caseEvidenceMax
            ? [points[0] as CaseEvidence, ...points.slice(1 - limits.caseEvidenceMax)]
            : points
        changes.push({
          ...{
            step,
            deviceId,
            order: index++,
            caseId: of.caseId,
            sequence: of.sequence,
            change,
            at: atMs,
            status: of.status,
          },
          ...{
            alerting: of.alerting,
            severity: of.severity,
            device: of.device,
            assignee: of.assignee,
            span: `${of.from} ${of.to}`,
          },
          ...{ verdict: of.verdict, follows: of.follows, evidence },
        })
      }
      if (sweep) {
        index = -1
        for (const each of [...all])
          if (each.status === 'resolved' && each.resolvedAt <= atMs - rules.resolvedKeptMs)
            all.splice(all.indexOf(each), 1)
        const idle = open()
        if (idle !== undefined && idle.touchedBy < 0 && !alerting && idle.changedAt <= atMs - rules.expireAfterMs) {
          idle.status = 'resolved'
          idle.resolvedAt = atMs
          say(idle, 'expired')
        }
        index = 0
      }
      if (deviceOf(record) !== deviceId) continue
      const seen = (of: NaiveCase, signal: AlertSignal, isEarlier = false): void => {
        const known = of.windows.findIndex(({ windowEnd }) => windowEnd === signal.windowEnd)
        if (known >= 0) of.windows[known] = signal
        else if (!isEarlier && signal.windowEnd > (of.windows.at(-1)?.windowEnd ?? 0)) of.windows.push(signal)
      }
      const clear = (): void => {
        if (!alerting) return
        alerting = false
        answered = null
        for (const each of all) each.alerting = false
        const standing = open()
        if (standing !== undefined) say(standing, 'cleared')
      }
      if (record.topic === 'alert-signals') {
        const { signal } = record
        const { alert, windowEnd } = signal
        const stands = alert !== undefined ? alert.mark !== 'clearing' : !marked && signal.probability > 0.8
        const severity = alert?.severity ?? 'warning'
        const current = open()
        const tracked = alerting || all.length > 0
        if (!marked && tracked && windowEnd < newest) {
          if (current !== undefined) seen(current, signal, true)
          continue
        }
        if (tracked || stands) newest = Math.max(tracked ? newest : 0, windowEnd)
        if (!stands) {
          if (alerting && current !== undefined) seen(current, signal)
          clear()
          continue
        }
        const isAnother = alerting && alert !== undefined && since !== null && alert.since !== since
        if (isAnother) {
          answered = null
          for (const each of all) if (each !== current) each.alerting = false
        }
        const raised = !alerting || isAnother
        alerting = true
        since = alert?.since ?? null
        if (current !== undefined) {
          seen(current, signal)
          current.to = Math.max(current.to, windowEnd)
          current.device = 'sending'
          current.alerting = true
          const rise = order.indexOf(severity) - order.indexOf(current.severity)
          current.severity = severity
          if (raised) say(current, 'raised-again')
          else if (rise !== 0) say(current, rise > 0 ? 'escalated' : 'de-escalated')
          continue
        }
        const graver = answered !== null && order.indexOf(severity) > order.indexOf(answered.severity)
        const waitMs = (answered?.of.follows ?? null) === null ? rules.followAfterMs : rules.followAgainAfterMs
        const isLong = answered !== null && windowEnd - answered.atWindowEnd >= waitMs
        if (raised || answered === null || graver || isLong) {
          const caseId = `${deviceId}@${windowEnd}`
          if (remembered().some((each) => each.caseId === caseId)) continue
          const follows = raised || answered === null || graver ? null : answered.of.caseId
          answered = null
          const opened: NaiveCase = {
            ...{
              caseId,
              sequence: -1,
              status: 'open',
              alerting: true,
              severity,
              device: 'sending',
              from: signal.windowStart,
              to: windowEnd,
            },
            ...{
              windows: [signal],
              touchedBy: -1,
              changedAt: atMs,
              resolvedAt: 0,
              assignee: null,
              verdict: null,
              follows,
              links: [],
              commands: [],
            },
          }
          all.push(opened)
          say(opened, 'opened')
        }
      } else if (record.topic === 'device-status') {
        const current = open()
        const { status } = record
        const { kind } = status
        if (status.kind === 'alert-cleared') {
          if (since === null || status.since === since) clear()
          continue
        }
        if (current !== undefined)
          current.device = kind === 'device-silent' ? 'silent' : kind === 'device-returned' ? 'sending' : 'forgotten'
        if (kind === 'device-forgotten') clear()
        else if (current !== undefined) say(current, kind === 'device-silent' ? 'silent' : 'returned')
      } else {
        const read = commandOf(record)
        if (read.kind !== 'command') continue
        const { command } = read
        const found = remembered().find(({ caseId }) => caseId === command.caseId)
        if (found === undefined) refuse('unknown-case')
        else if (found.commands.slice(-limits.caseCommandsRememberedMax).includes(command.id)) continue
        else if (command.seen !== null && found.touchedBy > command.seen) refuse('stale')
        else {
          const done = (change: string): void => {
            found.commands.push(command.id)
            found.touchedBy = found.sequence + 1
            say(found, change)
          }
          const over = found.status === 'resolved'
          if (command.command === 'comment') done('commented')
          else if (command.command === 'link') {
            if (found.links.includes(command.to)) refuse('linked-already')
            else {
              found.links.push(command.to)
              done('linked')
            }
          } else if (command.command === 'reopen') {
            if (!over) refuse('not-resolved')
            else if (open() !== undefined) refuse('another-open')
            else {
              found.status = 'open'
              found.alerting = alerting
              found.verdict = null
              answered = null
              done('reopened')
            }
          } else if (over) refuse('already-resolved')
          else if (command.command === 'acknowledge') {
            if (found.status === 'acknowledged') refuse('already-acknowledged')
            else {
              found.status = 'acknowledged'
              done('acknowledged')
            }
          } else if (command.command === 'assign') {
            found.assignee = command.assignee
            done('assigned')
          } else if (command.command === 'resolve') {
            const { failureAt } = command
            const from = command.from ?? (failureAt === null ? found.from : Math.min(found.from, failureAt - 1))
            const to = failureAt === null ? found.to : Math.max(found.to, failureAt)
            if (to <= from || (failureAt !== null && failureAt <= from)) refuse('span')
            else {
              found.status = 'resolved'
              found.resolvedAt = atMs
              found.verdict = `${command.verdict} ${from} ${to} ${failureAt}`
              answered = { of: found, severity: found.severity, atWindowEnd: newest }
              done('resolved')
            }
          }
        }
      }
    }
  }
  changes.sort(
    (a, b) =>
      a.step - b.step ||
      Math.sign(a.order < 0 ? -1 : 0) - Math.sign(b.order < 0 ? -1 : 0) ||
      (a.deviceId < b.deviceId ? -1 : a.deviceId > b.deviceId ? 1 : a.order - b.order),
  )
  return { changes: changes.map(({ step: _s, order: _o, deviceId: _d, ...rest }) => rest), refused }
}
