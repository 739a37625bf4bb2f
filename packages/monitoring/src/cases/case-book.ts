import {
  type AlertClearCause,
  type AlertSeverity,
  type AlertSignal,
  assert,
  type CaseChange,
  type CaseCommand,
  type CaseMessage,
  type CaseRefusal,
  type CaseState,
  type DeviceStatus,
  limits,
  type MaintenanceFeedback,
  readCaseCommand,
} from '@millwright/core'
import { sameFields } from '../same-fields.ts'
import { alertStanding, compareSeverities } from './alert-mark.ts'
import { newest, pointOf, withRevision, withWindow } from './case-evidence.ts'
import { type CaseTotals, counted, noTotals } from './case-totals.ts'
import { feedbackOf } from './case-verdict.ts'
import { commandRefusal, verdictSpan } from './command-refusal.ts'
import { type CaseDevice, caseState, unresolved, type WatchedCase } from './watched-case.ts'

/**
 * The cases of a plant: a fold of alert signals, device statuses and people's commands, in one order, into the messages of the topic `cases`.
 *
 * Invariants
 *
 * C1. A device has at most one case that is not resolved.
 * C2. What comes out is a function of what went in, in its order, and of the rules; no clock is read. Time is the append time of what comes.
 * C3. Marks grow: each message's mark is after that of every message before, also over a restore.
 * C4. Memory is bounded: devices by `caseDevicesMax`, resolved cases by age and number, what a case holds by its own limits.
 * C5. A command changes its case once, however often it comes, and one that does not fit is counted with its reason.
 * C6. An alert that goes on after its case was resolved opens another with the first window that ends `followAfterMs` (`followAgainAfterMs`) or more after the
 *     newest one that there was then; before that only where it grows graver.
 * C7. `snapshot` is JSON, and a book restored from it goes on as this one would.
 */
export class CaseBook {
  readonly #rules: CaseRules
  readonly #marked: boolean
  readonly #devices = new Map<string, CaseDevice>()
  #totals: CaseTotals
  #refusals: readonly RefusedCommand[]
  #mark: CaseMark
  #sweptMs: number
  /** Gathered while one record is taken. */
  #outputs: CaseOutput[] = []
  /** Since the changes were last taken. */
  #touched = new Map<string, WatchedCase | null>()
  #outcomes: CommandOutcome[] = []

  /**
   * @param options.marked Whether the project has an alert policy beyond one threshold; see {@link alertStanding}.
   * @param state What `snapshot` gave under the same rules.
   */
  constructor({ marked, rules = defaultCaseRules }: CaseBookOptions, state?: CaseBookState) {
    assert(state === undefined || sameFields(state.rules, rules), 'a state of cases goes on under its own rules')
    this.#rules = rules
    this.#marked = marked
    for (const device of state?.devices ?? [])
      this.#devices.set(device.deviceId, { ...device, cases: [...device.cases] })
    for (const { cases } of this.#devices.values()) for (const each of cases) this.#touched.set(each.caseId, each)
    this.#totals = state?.totals ?? noTotals
    this.#refusals = state?.refusals ?? []
    this.#mark = state?.mark ?? { timeMs: 0, index: -1 }
    this.#sweptMs = state?.sweptMs ?? 0
  }

  /** Takes a record of `alert-signals`. @param atMs Its append time; never less than that of the record before. */
  alertSignal(signal: AlertSignal, atMs: number): readonly CaseOutput[] {
    this.#advance(atMs)
    const { standing, severity } = alertStanding(signal, this.#marked)
    const device = this.#devices.get(signal.deviceId) ?? (standing ? this.#addDevice(signal.deviceId) : null)
    if (device !== null) {
      const open = unresolved(device)
      // Without marks an earlier window that was calculated again says nothing of how things are now.
      const isEarlier = !this.#marked && signal.windowEnd < device.newestWindowEnd
      device.newestWindowEnd = Math.max(device.newestWindowEnd, signal.windowEnd)
      if (isEarlier && open !== null) this.#keep(device, { ...open, ...withRevision(open, signal) })
      else if (standing && !isEarlier) this.#stand(device, open, signal, severity, atMs)
      else if (!isEarlier) this.#clear(device, atMs, signal.alert?.cause ?? 'probability', signal)
    }
    return this.#takeOutputs()
  }

  /** Takes a record of `device-status`. */
  deviceStatus(status: DeviceStatus, atMs: number): readonly CaseOutput[] {
    this.#advance(atMs)
    const device = this.#devices.get(status.deviceId)
    if (device === undefined) return this.#takeOutputs()
    const open = unresolved(device)
    switch (status.kind) {
      case 'device-silent':
        if (open !== null) this.#change(device, { ...open, device: 'silent' }, 'silent', atMs)
        break
      case 'device-returned':
        if (open !== null) this.#change(device, { ...open, device: 'sending' }, 'returned', atMs)
        break
      case 'device-forgotten':
        if (open !== null) this.#keep(device, { ...open, device: 'forgotten' })
        this.#clear(device, atMs, 'forgotten', null)
        break
      case 'alert-cleared':
        // Records of one time come topic by topic: another alert may have been raised since this one ended.
        if (device.alertSince === null || device.alertSince === status.since)
          this.#clear(device, atMs, status.cause, null)
        break
    }
    return this.#takeOutputs()
  }

  /** Takes a record of `case-commands`; one that is none is refused as malformed. */
  command(text: string, atMs: number): readonly CaseOutput[] {
    this.#advance(atMs)
    const read = readCaseCommand(text)
    if (read.kind === 'refused') this.#refuse(null, 'malformed', atMs)
    else this.#command(read.command, atMs)
    return this.#takeOutputs()
  }

  /** What changed since this was last called: cases as they stand, `null` for those forgotten, and what became of commands. */
  takeChanges(): CaseChanges {
    const changes = { cases: [...this.#touched], outcomes: this.#outcomes }
    this.#touched = new Map()
    this.#outcomes = []
    return changes
  }

  /** Yields the cases that are not resolved. */
  *unresolved(): Generator<WatchedCase> {
    for (const device of this.#devices.values()) {
      const open = unresolved(device)
      if (open !== null) yield open
    }
  }

  get totals(): CaseTotals {
    return this.#totals
  }

  /** The newest commands that were refused, newest first; at most fifty. */
  get refusals(): readonly RefusedCommand[] {
    return this.#refusals
  }

  snapshot(): CaseBookState {
    return { ...this.stateWithoutDevices(), devices: [...this.deviceStates()] }
  }

  /** {@link snapshot} but for the list of devices, which is empty. */
  stateWithoutDevices(): CaseBookState {
    return {
      rules: this.#rules,
      devices: [],
      totals: this.#totals,
      refusals: this.#refusals,
      mark: this.#mark,
      sweptMs: this.#sweptMs,
    }
  }

  /** The devices of {@link snapshot}, one at a time. */
  *deviceStates(): Generator<CaseDevice> {
    for (const device of this.#devices.values()) yield { ...device, cases: [...device.cases] }
  }

  #stand(
    device: CaseDevice,
    open: WatchedCase | null,
    signal: AlertSignal,
    severity: AlertSeverity,
    atMs: number,
  ): void {
    const since = signal.alert?.since ?? null
    if (device.alerting && device.alertSince !== null && device.alertSince !== since) this.#endAlert(device, open)
    const raised = !device.alerting
    device.alerting = true
    device.alertSince = since
    if (open === null) {
      const answered = raised ? null : device.answered
      const isGraver = answered !== null && compareSeverities(severity, answered.severity) > 0
      if (answered === null || isGraver) this.#open(device, signal, severity, null, atMs)
      else if (signal.windowEnd >= answered.raiseFrom) this.#open(device, signal, severity, answered.caseId, atMs)
      return
    }
    const next = { ...open, ...withWindow(open, signal, true), alerting: true, severity, device: 'sending' } as const
    const rise = compareSeverities(severity, open.severity)
    if (raised) {
      this.#totals = { ...this.#totals, raisedAgain: this.#totals.raisedAgain + 1 }
      this.#change(device, next, 'raised-again', atMs)
    } else if (rise !== 0) this.#change(device, next, rise > 0 ? 'escalated' : 'de-escalated', atMs)
    else this.#keep(device, next)
  }

  /** @param follows Id of the resolved case whose alert this window goes on with; `null` where it is another one, or graver. */
  #open(device: CaseDevice, signal: AlertSignal, severity: AlertSeverity, follows: string | null, atMs: number): void {
    const { deviceId, windowStart, windowEnd } = signal
    const caseId = `${deviceId}@${windowEnd}`
    // Its window was calculated again after a person had answered: that is the same case.
    if (device.cases.some((known) => known.caseId === caseId)) return
    device.answered = null
    const { opened: openedCounts, followed } = this.#totals
    this.#totals = {
      ...this.#totals,
      opened: counted(openedCounts, severity),
      followed: followed + (follows === null ? 0 : 1),
    }
    const opened: WatchedCase = {
      caseId,
      deviceId,
      sequence: -1,
      change: 'opened',
      changedAt: atMs,
      personSequence: -1,
      commandIds: [],
      status: 'open',
      alerting: true,
      device: 'sending',
      severity,
      openedAt: atMs,
      acknowledgedAt: null,
      resolvedAt: null,
      assignee: null,
      verdict: null,
      from: Math.min(windowStart, windowEnd - 1),
      to: windowEnd,
      ...newest(signal),
      peak: pointOf(signal),
      why: signal.why ?? [],
      follows,
      links: [],
      evidence: [pointOf(signal)],
    }
    device.cases.push(opened)
    this.#change(device, opened, 'opened', atMs)
    const resolved = device.cases.filter(({ status }) => status === 'resolved')
    for (const each of resolved.slice(0, Math.max(0, resolved.length - limits.resolvedCasesPerDeviceMax)))
      this.#forget(device, each)
  }

  /** @param signal The window that cleared it; `null` where none did. */
  #clear(device: CaseDevice, atMs: number, cause: AlertClearCause, signal: AlertSignal | null): void {
    if (device.alerting) {
      const last = unresolved(device)
      this.#endAlert(device, last)
      if (last !== null) {
        const seen = signal === null ? last : { ...last, ...withWindow(last, signal, false) }
        this.#change(device, { ...seen, alerting: false }, 'cleared', atMs, { cause })
      }
    }
    this.#dropIfIdle(device)
  }

  /** @param open The case that is not resolved: what becomes of it is its own. */
  #endAlert(device: CaseDevice, open: WatchedCase | null): void {
    device.alerting = false
    device.alertSince = null
    device.answered = null
    for (const each of device.cases)
      if (each.alerting && each !== open) this.#keep(device, { ...each, alerting: false })
  }

  #command(command: CaseCommand, atMs: number): void {
    const device = this.#devices.get(command.deviceId)
    const found = device?.cases.find(({ caseId }) => caseId === command.caseId)
    if (device === undefined || found === undefined) {
      this.#refuse(command, 'unknown-case', atMs)
      return
    }
    if (found.commandIds.includes(command.id)) {
      this.#totals = { ...this.#totals, commandsAgain: this.#totals.commandsAgain + 1 }
      this.#outcomes.push({ id: command.id, refusal: null })
      return
    }
    const open = unresolved(device)
    const refusal = commandRefusal(found, command, open !== null && open !== found)
    if (refusal !== null) {
      this.#refuse(command, refusal, atMs)
      return
    }
    this.#totals = { ...this.#totals, commands: this.#totals.commands + 1 }
    this.#outcomes.push({ id: command.id, refusal: null })
    const [state, change] = this.#commanded(device, found, command, atMs)
    const commandIds = [...found.commandIds, command.id].slice(-limits.caseCommandsRememberedMax)
    const next = { ...found, ...state, personSequence: found.sequence + 1, commandIds }
    const feedback = feedbackOf(found, next, atMs)
    this.#change(device, next, change, atMs, {
      by: command.by,
      command: command.id,
      comment: command.comment,
      feedback,
    })
  }

  #commanded(
    device: CaseDevice,
    found: WatchedCase,
    command: CaseCommand,
    atMs: number,
  ): [Partial<CaseState>, CaseChange] {
    switch (command.command) {
      case 'acknowledge':
        return [{ status: 'acknowledged', acknowledgedAt: this.#taken(found, atMs) }, 'acknowledged']
      case 'assign':
        return [{ assignee: command.assignee }, 'assigned']
      case 'comment':
        return [{}, 'commented']
      case 'link':
        return [{ links: [...found.links, command.to] }, 'linked']
      case 'reopen':
        this.#totals = { ...this.#totals, reopened: this.#totals.reopened + 1 }
        device.answered = null
        return [{ status: 'open', verdict: null, resolvedAt: null, alerting: device.alerting }, 'reopened']
      case 'resolve': {
        const { verdict: kind, found: whatWasFound, failureAt } = command
        const span = verdictSpan(found, command)
        assert(span !== null, 'a command without a span was refused')
        this.#totals = { ...this.#totals, resolved: counted(this.#totals.resolved, kind) }
        device.answered = { caseId: found.caseId, severity: found.severity, raiseFrom: this.#raiseFrom(device, found) }
        const verdict = { kind, found: whatWasFound, failureAt, ...span }
        return [{ status: 'resolved', verdict, resolvedAt: atMs, acknowledgedAt: this.#taken(found, atMs) }, 'resolved']
      }
    }
  }

  /** From which window on an alert that goes on opens a case again. By the device's own clock, which a history that is read in has, too (C2). */
  #raiseFrom({ newestWindowEnd }: CaseDevice, { follows }: WatchedCase): number {
    const { followAfterMs, followAgainAfterMs } = this.#rules
    return newestWindowEnd + (follows === null ? followAfterMs : followAgainAfterMs)
  }

  /** When somebody first took the case: now, where nobody had. */
  #taken({ acknowledgedAt, openedAt }: WatchedCase, atMs: number): number {
    if (acknowledgedAt !== null) return acknowledgedAt
    const { taken, takenMsSum } = this.#totals
    this.#totals = { ...this.#totals, taken: taken + 1, takenMsSum: takenMsSum + (atMs - openedAt) }
    return atMs
  }

  #refuse(command: CaseCommand | null, reason: CaseRefusal, atMs: number): void {
    this.#totals = { ...this.#totals, commandsRefused: counted(this.#totals.commandsRefused, reason) }
    const refused = {
      id: command?.id ?? null,
      caseId: command?.caseId ?? null,
      by: command?.by ?? null,
      reason,
      at: atMs,
    }
    this.#refusals = [refused, ...this.#refusals].slice(0, refusalsKept)
    if (command !== null) this.#outcomes.push({ id: command.id, refusal: reason })
  }

  /** Time has come to `atMs`: what is over goes. Looked at once in an hour of it, in the order of devices' ids. */
  #advance(atMs: number): void {
    assert(atMs >= this.#mark.timeMs, 'records come in order of append time (C3)')
    if (Math.floor(atMs / hourMs) <= Math.floor(this.#sweptMs / hourMs)) return
    this.#sweptMs = atMs
    const { resolvedKeptMs, expireAfterMs } = this.#rules
    const due: CaseDevice[] = []
    for (const device of this.#devices.values()) {
      for (const each of device.cases)
        if (each.resolvedAt !== null && each.resolvedAt <= atMs - resolvedKeptMs) this.#forget(device, each)
      const open = unresolved(device)
      const untouched = open !== null && open.personSequence < 0 && !open.alerting
      if (untouched && open.changedAt <= atMs - expireAfterMs) due.push(device)
      else this.#dropIfIdle(device)
    }
    for (const device of due.sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1))) {
      const open = unresolved(device)
      assert(open !== null, 'only a case that is not resolved expires')
      this.#totals = { ...this.#totals, resolved: counted(this.#totals.resolved, 'expired') }
      this.#change(device, { ...open, status: 'resolved', resolvedAt: atMs }, 'expired', atMs)
    }
  }

  #addDevice(deviceId: string): CaseDevice | null {
    if (this.#devices.size >= limits.caseDevicesMax) {
      this.#totals = { ...this.#totals, devicesRefused: this.#totals.devicesRefused + 1 }
      return null
    }
    const device: CaseDevice = {
      deviceId,
      alerting: false,
      alertSince: null,
      newestWindowEnd: 0,
      answered: null,
      cases: [],
    }
    this.#devices.set(deviceId, device)
    return device
  }

  /** Keeps a case as it now stands, and says so. */
  #change(device: CaseDevice, next: WatchedCase, change: CaseChange, atMs: number, because: Because = {}): void {
    const sequence = next.sequence + 1
    this.#keep(device, { ...next, sequence, change, changedAt: atMs })
    this.#mark = { timeMs: atMs, index: this.#mark.timeMs === atMs ? this.#mark.index + 1 : 0 }
    const { by = null, command = null, cause = null, comment = null, feedback = null } = because
    const { caseId, deviceId } = next
    const message = { caseId, deviceId, sequence, change, at: atMs, by, command, cause, comment, ...caseState(next) }
    this.#outputs.push({ mark: this.#mark, message, feedback })
  }

  #keep(device: CaseDevice, next: WatchedCase): void {
    device.cases = device.cases.map((known) => (known.caseId === next.caseId ? next : known))
    this.#touched.set(next.caseId, next)
  }

  #forget(device: CaseDevice, gone: WatchedCase): void {
    device.cases = device.cases.filter(({ caseId }) => caseId !== gone.caseId)
    this.#touched.set(gone.caseId, null)
  }

  #dropIfIdle({ deviceId, alerting, cases }: CaseDevice): void {
    if (!alerting && cases.length === 0) this.#devices.delete(deviceId)
  }

  #takeOutputs(): readonly CaseOutput[] {
    if (this.#outputs.length === 0) return none
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }
}

export interface CaseBookOptions {
  readonly marked: boolean
  readonly rules?: CaseRules
}

/** Spans, milliseconds. */
export interface CaseRules {
  /** How long a resolved case can be reopened, linked and commented; append time. */
  readonly resolvedKeptMs: number
  /** How long after its last change a case that cleared, and that nobody touched, is kept; append time. */
  readonly expireAfterMs: number
  /** How long an alert stands on after a person answered it, on its device's clock, until it opens a case again. */
  readonly followAfterMs: number
  /** As {@link followAfterMs}, once the case that was answered follows another one. */
  readonly followAgainAfterMs: number
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const refusalsKept = 50
const none: readonly CaseOutput[] = []

/** A shift later others stand at the machine; from then on, once a day (docs/decisions/cases.md). */
export const defaultCaseRules: CaseRules = {
  resolvedKeptMs: 30 * dayMs,
  expireAfterMs: 30 * dayMs,
  followAfterMs: 8 * hourMs,
  followAgainAfterMs: 24 * hourMs,
}

/** Where a message stands among all: the append time of its cause, and which of the messages of that time it is, from 0. */
export interface CaseMark {
  readonly timeMs: number
  readonly index: number
}

/** A message for the topic `cases`, and what goes to `maintenance-feedback` because of it. */
export interface CaseOutput {
  readonly mark: CaseMark
  readonly message: CaseMessage
  readonly feedback: MaintenanceFeedback | null
}

/** A command that changed nothing. */
export interface RefusedCommand {
  readonly id: string | null
  readonly caseId: string | null
  readonly by: string | null
  readonly reason: CaseRefusal
  /** Append time. */
  readonly at: number
}

/** What became of a command; `refusal` is `null` where it changed its case, now or before. */
export interface CommandOutcome {
  readonly id: string
  readonly refusal: CaseRefusal | null
}

export interface CaseChanges {
  readonly cases: readonly (readonly [caseId: string, WatchedCase | null])[]
  readonly outcomes: readonly CommandOutcome[]
}

export interface CaseBookState {
  readonly rules: CaseRules
  readonly devices: readonly CaseDevice[]
  readonly totals: CaseTotals
  readonly refusals: readonly RefusedCommand[]
  readonly mark: CaseMark
  readonly sweptMs: number
}

interface Because {
  readonly by?: string | null
  readonly command?: string | null
  readonly comment?: string | null
  readonly cause?: AlertClearCause
  readonly feedback?: MaintenanceFeedback | null
}
