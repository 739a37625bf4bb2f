import {
  assert,
  ConfigurationError,
  isHeartbeatDevice,
  limits,
  type Plan,
  type ReadingBatch,
  type Refusal,
  refusedBytes,
  rowEmpty,
  rowRefused,
} from '@millwright/core'
import { clock, type Fold, fastUntil, flagWaiting } from '@millwright/kernels'
import type { Cleaning } from './cleaning.ts'
import type { Counters } from './counters.ts'
import { CurrentReading } from './current-reading.ts'
import { devicesShareRefusal } from './decode/device-id.ts'
import type { DeviceMemory } from './device-memory.ts'
import type { DeviceTimers } from './device-timers.ts'
import { jumpMessage } from './jump.ts'
import type { ResultWriter } from './output/result-writer.ts'
import type { Quarantine } from './quarantine.ts'
import { isRemembered, remember } from './redelivery.ts'
import type { WaitingReading } from './waiting-readings.ts'
import type { DeviceWindows } from './windows/device-windows.ts'
import type { WindowCloser } from './windows/window-closer.ts'

/** Which reading of the input is at hand, and when it was appended. */
interface Place {
  readonly inputOffset: number
  readonly appendTimeMs: number
  /** Whether it is the plant's own heartbeat, which no counter of machines' readings has. */
  readonly isBeat: boolean
}

/**
 * The way of a reading: deadlines of its device, future guard, cleaning, redelivery, jumps, the device clock, windows.
 *
 * Most readings are in order, good, and belong to the window that is open anyway. They go a short way that does what the long
 * one would do: T4 and {@link Fold.takeInOrder} say when, and the tests hold the two against each other.
 */
export class ReadingPath {
  readonly #fold: Fold
  readonly #memory: DeviceMemory
  readonly #cleaning: Cleaning
  readonly #timers: DeviceTimers
  readonly #closer: WindowCloser
  readonly #windows: DeviceWindows
  readonly #results: ResultWriter
  readonly #counters: Counters
  readonly #deviceId: (device: number) => string
  readonly #maxJumpMs: number
  readonly #maxClockAheadMs: number
  /** Event time is append time: such readings are never redelivered, and no device's clock can be wrong. */
  readonly #arrival: boolean
  readonly #current: CurrentReading
  readonly #confirmed: CurrentReading
  readonly #quarantine: Quarantine | null
  readonly #hasRoom: (device: number) => boolean
  readonly #devicesMax: number

  constructor(options: {
    readonly plan: Plan
    readonly fold: Fold
    readonly memory: DeviceMemory
    readonly cleaning: Cleaning
    readonly timers: DeviceTimers
    readonly closer: WindowCloser
    readonly windows: DeviceWindows
    readonly results: ResultWriter
    readonly counters: Counters
    readonly deviceId: (device: number) => string
    readonly quarantine: Quarantine | null
    /** Whether a host has room for a device that would begin. */
    readonly hasRoom: (device: number) => boolean
  }) {
    this.#fold = options.fold
    this.#memory = options.memory
    this.#cleaning = options.cleaning
    this.#timers = options.timers
    this.#closer = options.closer
    this.#windows = options.windows
    this.#results = options.results
    this.#counters = options.counters
    this.#deviceId = options.deviceId
    this.#quarantine = options.quarantine
    this.#hasRoom = options.hasRoom
    this.#devicesMax = options.plan.time.devicesMax
    this.#arrival = options.plan.time.timestamp === 'arrival'
    this.#maxJumpMs = options.plan.time.maxJumpMs
    this.#maxClockAheadMs = options.plan.time.maxClockAheadMs
    this.#current = new CurrentReading(options.fold, options.plan.channels.length, 0)
    this.#confirmed = new CurrentReading(options.fold, options.plan.channels.length, 1)
  }

  /**
   * Takes the rows of a batch, in order. Row i has offset `baseOffset + i`.
   *
   * @param appendTimeMs Of all rows, or of each where they come from several logs.
   * @param firstRow Where a call that was ended goes on: the rows before have been taken, but not counted.
   * @throws {ConfigurationError} When the plan takes arrival as event time and a row has no append time.
   */
  batch(batch: ReadingBatch, baseOffset: number, appendTimeMs: number | Float64Array, firstRow = 0): void {
    const { rowCount } = batch
    assert(rowCount <= limits.batchRowsMax, 'a batch has at most batchRowsMax rows')
    const one = typeof appendTimeMs === 'number'
    if (this.#arrival && (one ? Number.isNaN(appendTimeMs) : appendTimeMs.subarray(0, rowCount).includes(Number.NaN)))
      throw arrivalWithoutAppendTime()
    this.#fold.takeBatch(batch, appendTimeMs)
    let refusal = 0
    let empty = 0
    let beats = 0
    let row = firstRow
    for (const device of batch.device.subarray(0, firstRow)) {
      if (device === rowEmpty) empty += 1
      else if (device === rowRefused) refusal += 1
      else if (this.#isHeartbeat(device)) beats += 1
    }
    while (row < rowCount) {
      row = this.#takeInOrder(batch, row)
      if (row === rowCount) break
      const device = batch.device[row] as number
      if (device >= 0) {
        const isBeat = this.#isHeartbeat(device)
        const appendedAtMs = one ? appendTimeMs : (appendTimeMs[row] as number)
        this.#takeGuarded(batch, row, { inputOffset: baseOffset + row, appendTimeMs: appendedAtMs, isBeat })
        if (isBeat) {
          beats += 1
          this.#keepOffShortWay(device)
        }
      } else if (device === rowEmpty) empty += 1
      else {
        assert(device === rowRefused, 'a row without a device is empty or refused')
        this.#refused(batch, batch.refusals[refusal], row, baseOffset + row)
        refusal += 1
      }
      row += 1
    }
    this.#counters.add('readings_in_total', rowCount - empty - beats)
    this.#counters.add('heartbeat_readings_total', beats)
  }

  #isHeartbeat(device: number): boolean {
    return isHeartbeatDevice(this.#deviceId(device))
  }

  /** The short way counts what it takes as machines' readings. */
  #keepOffShortWay(device: number): void {
    const { table } = this.#memory
    if (table.exists(device)) table.setFloat(device, fastUntil, Number.NEGATIVE_INFINITY)
  }

  /** Takes the rows from `first` on that may go the short way; returns the first row that may not. */
  #takeInOrder(batch: ReadingBatch, first: number): number {
    const row = this.#fold.takeInOrder(first, batch.rowCount)
    if (row === first) return row
    this.#memory.windows.addRaw(batch, first, row)
    this.#counters.add('readings_accepted_total', row - first)
    return row
  }

  /** Bounded input is over: a reading that still waits counts, and every window gives its result. */
  endOfInput(device: number, inputOffset: number): void {
    const { table, waiting } = this.#memory
    const left = table.has(device, flagWaiting) ? waiting.get(device) : undefined
    table.markDirty(device)
    // Without an append time the newest model scores what the end closes.
    const place = { inputOffset, appendTimeMs: Number.NaN, isBeat: this.#isHeartbeat(device) }
    if (left !== undefined) this.#confirm(device, left, place)
    this.#closer.closeAll(device, place.appendTimeMs, inputOffset)
  }

  /** The long way, so that where a project's own function fails the device is as if the reading had never come. */
  #takeGuarded(batch: ReadingBatch, row: number, place: Place): void {
    const quarantine = this.#quarantine
    if (quarantine === null) {
      this.#take(batch, row, place)
      return
    }
    const device = batch.device[row] as number
    const record = () => refusedBytes(batch.bytes, batch.lineStart[row] as number, batch.lineEnd[row] as number)
    if (!this.#memory.table.exists(device) && !this.#hasRoom(device)) {
      const { reason, message, deviceId } = devicesShareRefusal(this.#deviceId(device), this.#devicesMax)
      const letter = { reason, message, topic: 'sensor-data', deviceId, record: record() } as const
      this.#results.deadLetter(letter, place.inputOffset)
      return
    }
    quarantine.run(device, place.inputOffset, 'sensor-data', { act: () => this.#take(batch, row, place), record })
  }

  /** The long way: every rule, in order. */
  #take(batch: ReadingBatch, row: number, place: Place): void {
    const device = batch.device[row] as number
    const timestampMs = this.#arrival ? place.appendTimeMs : (batch.timestampMs[row] as number)
    const current = this.#current
    this.#timers.recordCame(device, place.appendTimeMs, place.inputOffset)
    if (timestampMs - place.appendTimeMs > this.#maxClockAheadMs) {
      const message = futureMessage(timestampMs, place.appendTimeMs, this.#maxClockAheadMs)
      const record = refusedBytes(batch.bytes, batch.lineStart[row] as number, batch.lineEnd[row] as number)
      const deviceId = this.#deviceId(device)
      this.#results.deadLetter({ reason: 'future', message, topic: 'sensor-data', deviceId, record }, place.inputOffset)
      return
    }
    current.takeRow(batch, row, timestampMs)
    if (!this.#cleaning.clean(current.values)) return
    current.settle()
    if (this.#isRedelivered(device, current)) {
      if (!place.isBeat) this.#counters.add('redelivered_total')
      return
    }
    if (this.#waits(device, current, batch, row, place)) return
    this.#accept(device, current, place)
  }

  #isRedelivered(device: number, reading: CurrentReading): boolean {
    const { table, waiting } = this.#memory
    if (this.#arrival) return false
    if (table.has(device, flagWaiting)) {
      // A second copy of a waiting reading is no second witness to its time.
      const left = waiting.get(device)
      if (left?.timestampMs === reading.timestampMs && sameValues(left.values, reading.values)) return true
    }
    if (reading.timestampMs > table.float(device, clock)) return false
    return isRemembered(table, device, reading.hash())
  }

  /** Applies the jump rule; returns whether the reading at hand waits now. */
  #waits(device: number, reading: CurrentReading, batch: ReadingBatch, row: number, place: Place): boolean {
    const { table, waiting } = this.#memory
    const maxJumpMs = this.#maxJumpMs
    if (this.#arrival) return false
    const { timestampMs } = reading
    const left = table.has(device, flagWaiting) ? waiting.get(device) : undefined
    if (left !== undefined) {
      if (Math.abs(timestampMs - left.timestampMs) <= maxJumpMs) {
        this.#confirm(device, left, place)
        return false
      }
      this.#results.deadLetter(
        {
          reason: 'jump-not-confirmed',
          message: jumpMessage(left.timestampMs, maxJumpMs, `the next one is of ${timestampMs}`),
          topic: 'sensor-data',
          deviceId: this.#deviceId(device),
          record: left.record,
        },
        place.inputOffset,
      )
      this.#stopWaiting(device)
    }
    // A device without a clock takes any first time.
    if (
      !(timestampMs - table.float(device, clock) > maxJumpMs) ||
      table.float(device, clock) === Number.NEGATIVE_INFINITY
    )
      return false
    waiting.set(device, {
      timestampMs,
      values: reading.values.slice(),
      record: refusedBytes(batch.bytes, batch.lineStart[row] as number, batch.lineEnd[row] as number),
    })
    table.setFlag(device, flagWaiting, true)
    table.setFloat(device, fastUntil, Number.NEGATIVE_INFINITY)
    return true
  }

  /** The waiting reading counts: another one of its time has come, or input is over. */
  #confirm(device: number, left: WaitingReading, place: Place): void {
    this.#stopWaiting(device)
    this.#confirmed.take(left.timestampMs, left.values)
    this.#accept(device, this.#confirmed, place)
  }

  #stopWaiting(device: number): void {
    this.#memory.waiting.delete(device)
    this.#memory.table.setFlag(device, flagWaiting, false)
  }

  #accept(device: number, reading: CurrentReading, place: Place): void {
    const { table } = this.#memory
    if (!place.isBeat) this.#counters.add('readings_accepted_total')
    if (!this.#arrival) remember(table, device, reading.hash())
    if (reading.timestampMs > table.float(device, clock)) {
      table.setFloat(device, clock, reading.timestampMs)
      this.#closer.closeDue(device, place.appendTimeMs, place.inputOffset)
    }
    this.#windows.add(device, reading, place.appendTimeMs, place.inputOffset)
  }

  #refused(batch: ReadingBatch, refusal: Refusal | undefined, row: number, inputOffset: number): void {
    assert(refusal !== undefined && refusal.row === row, 'each refused row has its refusal, in order')
    const record = refusedBytes(batch.bytes, batch.lineStart[row] as number, batch.lineEnd[row] as number)
    const { reason, message, deviceId } = refusal
    this.#results.deadLetter({ reason, message, topic: 'sensor-data', deviceId, record }, inputOffset)
  }
}

/** Says for a person why a record from the future was refused. */
export function futureMessage(timestampMs: number, appendTimeMs: number, maxClockAheadMs: number): string {
  return `timestamp: found ${timestampMs}, wanted at most ${maxClockAheadMs} ms after the append time ${appendTimeMs}`
}

/** The error of a plan that needs append times and gets none. */
export function arrivalWithoutAppendTime(): ConfigurationError {
  return new ConfigurationError('This input cannot be replayed.', [
    {
      field: 'time.timestamp',
      found: "'arrival'",
      wanted: "'event': a file has no append times to take as event times",
    },
  ])
}

/** Whether two readings' values are the same, missing ones included. */
function sameValues(a: Float64Array, b: Float64Array): boolean {
  for (let k = 0; k < a.length; k++) if (!Object.is(a[k], b[k])) return false
  return true
}
