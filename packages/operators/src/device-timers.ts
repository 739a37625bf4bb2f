import type { TimeRules } from '@millwright/core'
import { flagFiled, flagSilent, flagWaiting, lastAppend } from '@millwright/kernels'
import type { AlertPolicies } from './alerts/alert-policies.ts'
import type { Counters } from './counters.ts'
import { DeadlineWheel } from './deadline-wheel.ts'
import { clearBeside, type DeviceMemory } from './device-memory.ts'
import type { HostTimers } from './host-timers.ts'
import { jumpMessage } from './jump.ts'
import type { ResultWriter } from './output/result-writer.ts'
import type { WindowCloser } from './windows/window-closer.ts'

/**
 * Silence, the timed end of an alert, forgetting: what becomes of a device of which nothing is heard, on the append-time scale.
 *
 * P1. A device is silent from `lastAppend + silentAfter` on, forgotten from `lastAppend + forgetAfter` on: deadlines of its own
 *     records, whenever they are noticed. Between them, an alert that ends by time does so at `lastAppend + clearAfter`, but not
 *     before the device is silent.
 * P2. Deadlines are applied in their order, before the device's next record whose append time has reached them. A heartbeat
 *     applies them earlier with the same results.
 * P3. A device without append times (a file is replayed) has no deadlines.
 * P4. Where a host keeps the timers, it is asked for one at or before each deadline, and the wheel is empty.
 * P5. Whether an alert stands is known when nothing waits to be scored. Where something may, a deadline is filed as if one stood.
 */
export class DeviceTimers {
  readonly #memory: DeviceMemory
  readonly #closer: WindowCloser
  readonly #results: ResultWriter
  readonly #counters: Counters
  readonly #time: TimeRules
  readonly #wheel: DeadlineWheel
  readonly #host: HostTimers | null
  readonly #deviceId: (device: number) => string
  /** `null` where no alert ends by time. */
  readonly #policies: AlertPolicies | null

  constructor(options: {
    readonly memory: DeviceMemory
    readonly closer: WindowCloser
    readonly results: ResultWriter
    readonly counters: Counters
    readonly time: TimeRules
    readonly deviceId: (device: number) => string
    readonly host: HostTimers | null
    readonly policies: AlertPolicies | null
  }) {
    this.#memory = options.memory
    this.#closer = options.closer
    this.#results = options.results
    this.#counters = options.counters
    this.#time = options.time
    this.#deviceId = options.deviceId
    this.#host = options.host
    this.#policies = options.policies?.timed ? options.policies : null
    this.#wheel = new DeadlineWheel(options.memory.table, options.time.silentAfterMs)
  }

  /**
   * A record of the device has come: applies the deadlines it has passed, notes the return of a silent device, begins a new
   * one.
   */
  recordCame(device: number, appendTimeMs: number, inputOffset: number): void {
    const { table } = this.#memory
    if (!table.exists(device)) table.begin(device)
    table.markDirty(device)
    if (Number.isNaN(appendTimeMs)) return
    if (this.#applyDue(device, appendTimeMs, inputOffset)) table.begin(device)
    else if (table.has(device, flagSilent)) {
      table.setFlag(device, flagSilent, false)
      this.#counters.add('devices_returned_total')
      this.#results.deviceStatus(device, 'device-returned', appendTimeMs, inputOffset)
    }
    const before = table.float(device, lastAppend)
    // Append time does not fall within a log; where two logs meet, the later one of a device counts.
    table.setFloat(device, lastAppend, before > appendTimeMs ? before : appendTimeMs)
    this.fileDeadline(device, appendTimeMs)
  }

  /**
   * Append time has reached `nowMs`: applies all deadlines that are due, device by device in order of id.
   *
   * @returns The devices that were forgotten.
   */
  heartbeat(nowMs: number, inputOffset: number): number[] {
    const { table } = this.#memory
    if (this.#policies !== null) this.#results.flush()
    const due = this.#wheel.takeDue(nowMs, (device) => this.#nextDeadline(device))
    const named = due.map((device) => ({ device, id: this.#deviceId(device) }))
    named.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
    const forgotten: number[] = []
    for (const { device } of named) {
      table.markDirty(device)
      if (this.#applyDue(device, nowMs, inputOffset)) {
        table.end(device)
        forgotten.push(device)
      } else this.fileDeadline(device, nowMs)
    }
    return forgotten
  }

  /**
   * A timer of the host went off at `nowMs`: applies the deadlines that are due, asks for a timer at the next one. Does nothing where
   * it is not the timer that the device was last asked for.
   *
   * @returns Whether the device is forgotten.
   */
  timerCame(device: number, nowMs: number, inputOffset: number): boolean {
    const { table } = this.#memory
    if (this.#host === null || !(this.#host.askedForMs(device) <= nowMs)) return false
    table.markDirty(device)
    this.#host.clear(device)
    if (!this.#applyDue(device, nowMs, inputOffset)) {
      this.fileDeadline(device, nowMs)
      return false
    }
    table.end(device)
    return true
  }

  /** Sees to it that a device whose deadlines up to `nowMs` were applied is looked at in time. */
  fileDeadline(device: number, nowMs: number): void {
    this.#file(device, this.#nextDeadline(device, nowMs), nowMs)
  }

  /** Sees to it that a device whose state was restored is looked at in time. */
  fileRestored(device: number): void {
    this.#file(device, this.#nextDeadline(device), this.#memory.table.float(device, lastAppend))
  }

  #file(device: number, deadlineMs: number, nowMs: number): void {
    if (Number.isNaN(deadlineMs)) return
    if (this.#host !== null) this.#host.file(device, deadlineMs)
    else if (!this.#memory.table.has(device, flagFiled)) this.#wheel.file(device, deadlineMs, nowMs)
  }

  /** Applies the deadlines at or before `nowMs`; returns whether the device is forgotten. */
  #applyDue(device: number, nowMs: number, inputOffset: number): boolean {
    const { table, waiting } = this.#memory
    const before = table.float(device, lastAppend)
    const silentAtMs = before + this.#time.silentAfterMs
    if (!(nowMs >= silentAtMs)) return false
    if (!table.has(device, flagSilent)) {
      this.#closer.emitOpen(device, silentAtMs, inputOffset)
      table.setFlag(device, flagSilent, true)
      this.#counters.add('devices_silent_total')
      this.#results.deviceStatus(device, 'device-silent', silentAtMs, inputOffset)
    }
    const forgottenAtMs = before + this.#time.forgetAfterMs
    const clearedAtMs = this.#clearDeadline(device)
    if (nowMs >= clearedAtMs && clearedAtMs < forgottenAtMs)
      this.#results.endAlert(device, 'timed', clearedAtMs, inputOffset)
    if (!(nowMs >= forgottenAtMs)) return false
    this.#results.endAlert(device, 'forgotten', forgottenAtMs, inputOffset)
    const left = table.has(device, flagWaiting) ? waiting.get(device) : undefined
    if (left !== undefined) {
      this.#results.deadLetter(
        {
          reason: 'jump-not-confirmed',
          message: jumpMessage(left.timestampMs, this.#time.maxJumpMs, 'no other came before the device was forgotten'),
          topic: 'sensor-data',
          deviceId: this.#deviceId(device),
          record: left.record,
        },
        inputOffset,
      )
    }
    clearBeside(this.#memory, device)
    this.#counters.add('devices_forgotten_total')
    this.#results.deviceStatus(device, 'device-forgotten', forgottenAtMs, inputOffset)
    return true
  }

  /**
   * NaN where the device has none.
   *
   * @param appliedMs Up to when deadlines were applied just now: what waits may have raised an alert (P5). NaN: nothing waits.
   */
  #nextDeadline(device: number, appliedMs = Number.NaN): number {
    const { table, alerts } = this.#memory
    const { silentAfterMs, forgetAfterMs } = this.#time
    const before = table.float(device, lastAppend)
    if (!table.has(device, flagSilent)) return before + silentAfterMs
    const clearedAtMs = this.#policies === null ? Number.NaN : this.#clearDeadline(device)
    const mayClear = Number.isNaN(appliedMs) ? alerts?.stands(device) : clearedAtMs > appliedMs
    return mayClear && clearedAtMs < before + forgetAfterMs ? clearedAtMs : before + forgetAfterMs
  }

  /** When the device's alert ends for want of anything that holds it up; NaN where it does not. */
  #clearDeadline(device: number): number {
    const clearAfterMs = this.#policies?.of(this.#deviceId(device)).clearAfterMs ?? Number.NaN
    return this.#memory.table.float(device, lastAppend) + Math.max(clearAfterMs, this.#time.silentAfterMs)
  }
}
