import {
  assert,
  ConfigurationError,
  limits,
  type Plan,
  type ReadingBatch,
  type Refusal,
  rowEmpty,
  rowRefused,
} from '@millwright/core'
import type { Cleaning } from './cleaning.ts'
import type { Counters } from './counters.ts'
import { CurrentReading } from './current-reading.ts'
import type { DeviceMemory } from './device-memory.ts'

import { clock, currentSlot, fastUntil, flagDirty, flags, flagWaiting, lastAppend } from './device-table.ts'
import type { DeviceTimers } from './device-timers.ts'
import { jumpMessage } from './jump.ts'
import { refusedBytes } from './output/messages.ts'
import type { ResultWriter } from './output/result-writer.ts'
import type { Quarantine } from './quarantine.ts'
import { isRemembered, type ReadingBits, ReadingHashes, remember, rememberRows } from './redelivery.ts'
import type { WaitingReading } from './waiting-readings.ts'
import type { DeviceWindows } from './windows/device-windows.ts'
import { ReadingRun, type RunColumns } from './windows/reading-run.ts'
import type { WindowCloser } from './windows/window-closer.ts'

/** Which reading of the input is at hand, and when it was appended. */
interface Place {
  readonly inputOffset: number
  readonly appendTimeMs: number
}

/**
 * The way of a reading: deadlines of its device, future guard, cleaning, redelivery, jumps, the device clock, windows.
 *
 * Most readings are in order, good, and belong to the window that is open anyway. They go a short way that does what the long
 * one would do: T4 says when, and the tests hold the two against each other.
 */
export class ReadingPath {
  readonly #memory: DeviceMemory
  readonly #cleaning: Cleaning
  readonly #timers: DeviceTimers
  readonly #closer: WindowCloser
  readonly #windows: DeviceWindows
  readonly #results: ResultWriter
  readonly #counters: Counters
  readonly #deviceId: (device: number) => string
  readonly #maxJumpMs: number
  readonly #silentAfterMs: number
  readonly #maxClockAheadMs: number
  /** Event time is append time: such readings are never redelivered, and no device's clock can be wrong. */
  readonly #arrival: boolean
  readonly #usedChannels: readonly number[]
  /** The rows that go the short way together. */
  readonly #run = new ReadingRun(limits.batchRowsMax)
  /** Event times of a batch where they are its append time. */
  readonly #arrivalTimes = new Float64Array(limits.batchRowsMax)
  /** Hashes of the batch at hand, and of one reading. */
  readonly #hashes = new ReadingHashes(limits.batchRowsMax)
  readonly #oneHash = new ReadingHashes(1)
  readonly #current: CurrentReading
  readonly #confirmed: CurrentReading
  readonly #quarantine: Quarantine | null

  constructor(options: {
    readonly plan: Plan
    readonly memory: DeviceMemory
    readonly cleaning: Cleaning
    readonly timers: DeviceTimers
    readonly closer: WindowCloser
    readonly windows: DeviceWindows
    readonly results: ResultWriter
    readonly counters: Counters
    readonly deviceId: (device: number) => string
    readonly quarantine: Quarantine | null
  }) {
    this.#memory = options.memory
    this.#cleaning = options.cleaning
    this.#timers = options.timers
    this.#closer = options.closer
    this.#windows = options.windows
    this.#results = options.results
    this.#counters = options.counters
    this.#deviceId = options.deviceId
    this.#quarantine = options.quarantine
    this.#arrival = options.plan.time.timestamp === 'arrival'
    this.#maxJumpMs = options.plan.time.maxJumpMs
    this.#silentAfterMs = options.plan.time.silentAfterMs
    this.#maxClockAheadMs = options.plan.time.maxClockAheadMs
    this.#usedChannels = options.memory.windows.accumulators.channels.map(({ channel }) => channel)
    this.#current = new CurrentReading(options.plan.channels.length, this.#usedChannels)
    this.#confirmed = new CurrentReading(options.plan.channels.length, this.#usedChannels)
  }

  /**
   * Takes the rows of a batch, in order. Row i has offset `baseOffset + i`.
   *
   * @throws {ConfigurationError} When the plan takes arrival as event time and there is no append time.
   */
  batch(batch: ReadingBatch, baseOffset: number, appendTimeMs: number): void {
    const { rowCount } = batch
    assert(rowCount <= limits.batchRowsMax, 'a batch has at most batchRowsMax rows')
    const arrival = this.#arrival
    if (arrival && Number.isNaN(appendTimeMs)) throw arrivalWithoutAppendTime()
    this.#cleaning.look(batch)
    if (!arrival) this.#hashes.hash(bitsOf(batch), rowCount)
    const columns: RunColumns = {
      timestampsMs: arrival ? this.#arrivalTimes.fill(appendTimeMs, 0, rowCount) : batch.timestampMs,
      channels: batch.channels,
      used: this.#usedChannels.map((channel) => batch.channels[channel] as Float64Array),
    }
    let refusal = 0
    let empty = 0
    let row = 0
    while (row < rowCount) {
      row = this.#takeInOrder(batch, columns, row, appendTimeMs)
      if (row === rowCount) break
      const device = batch.device[row] as number
      if (device >= 0) this.#takeGuarded(batch, columns, row, { inputOffset: baseOffset + row, appendTimeMs })
      else if (device === rowEmpty) empty += 1
      else {
        assert(device === rowRefused, 'a row without a device is empty or refused')
        this.#refused(batch, batch.refusals[refusal], row, baseOffset + row)
        refusal += 1
      }
      row += 1
    }
    this.#counters.add('readings_in_total', rowCount - empty)
  }

  /** Takes the rows from `first` on that may go the short way; returns the first row that may not. */
  #takeInOrder(batch: ReadingBatch, columns: RunColumns, first: number, appendTimeMs: number): number {
    const { table, windows } = this.#memory
    const { floats, ints, stride } = table
    const { device: deviceColumn, rowCount } = batch
    const { timestampsMs } = columns
    const { suspect } = this.#cleaning
    const run = this.#run
    const arrival = this.#arrival
    const maxJumpMs = this.#maxJumpMs
    // Where append times are not known these let every reading pass.
    const timeless = Number.isNaN(appendTimeMs)
    const heardAfterMs = timeless ? Number.NEGATIVE_INFINITY : appendTimeMs - this.#silentAfterMs
    const timestampMsMax = timeless ? Number.POSITIVE_INFINITY : appendTimeMs + this.#maxClockAheadMs
    const { slots } = run
    // Copies, since an imported constant is loaded anew wherever a loop names it.
    const [clockField, fastUntilField, lastAppendField] = [clock, fastUntil, lastAppend]
    const [flagsField, slotField, dirty] = [flags, currentSlot, flagDirty]
    let row = first
    for (; row < rowCount; row++) {
      const device = deviceColumn[row] as number
      const base = device * stride
      if (device < 0 || suspect[row] !== 0 || base >= floats.length) break
      const timestampMs = timestampsMs[row] as number
      const clockMs = floats[base + clockField] as number
      if (!(timestampMs < (floats[base + fastUntilField] as number))) break
      if (!(timestampMs > clockMs || (arrival && timestampMs === clockMs))) break
      if (timestampMs - clockMs > maxJumpMs || timestampMs > timestampMsMax) break
      if (!timeless) {
        const lastAppendMs = floats[base + lastAppendField] as number
        // A device that has no append time yet fails this too.
        if (!(lastAppendMs > heardAfterMs && lastAppendMs <= appendTimeMs)) break
        floats[base + lastAppendField] = appendTimeMs
      }
      floats[base + clockField] = timestampMs
      const intBase = 2 * base
      if (((ints[intBase + flagsField] as number) & dirty) === 0) table.markDirty(device)
      slots[row - first] = ints[intBase + slotField] as number
    }
    if (row > first) {
      run.first = first
      run.count = row - first
      windows.addRun(run, columns)
      for (let further = this.#windows.windowsPerReading - 1; further > 0; further--) {
        windows.toNext(run)
        windows.addRun(run, columns)
      }
      if (!arrival) rememberRows(table, deviceColumn, this.#hashes, first, row)
      this.#counters.add('readings_accepted_total', run.count)
    }
    return row
  }

  /** Bounded input is over: a reading that still waits counts, and every window gives its result. */
  endOfInput(device: number, inputOffset: number): void {
    const { table, waiting } = this.#memory
    const left = table.has(device, flagWaiting) ? waiting.get(device) : undefined
    table.markDirty(device)
    // Without an append time the newest model scores what the end closes.
    const place = { inputOffset, appendTimeMs: Number.NaN }
    if (left !== undefined) this.#confirm(device, left, place)
    this.#closer.closeAll(device, place.appendTimeMs, inputOffset)
  }

  /** The long way, so that where a project's own function fails the device is as if the reading had never come. */
  #takeGuarded(batch: ReadingBatch, columns: RunColumns, row: number, place: Place): void {
    const quarantine = this.#quarantine
    if (quarantine === null) {
      this.#take(batch, columns, row, place)
      return
    }
    const device = batch.device[row] as number
    quarantine.run(device, place.inputOffset, 'sensor-data', {
      act: () => this.#take(batch, columns, row, place),
      record: () => refusedBytes(batch.bytes, batch.lineStart[row] as number, batch.lineEnd[row] as number),
    })
  }

  /** The long way: every rule, in order. */
  #take(batch: ReadingBatch, columns: RunColumns, row: number, place: Place): void {
    const device = batch.device[row] as number
    const timestampMs = columns.timestampsMs[row] as number
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
    if (this.#isRedelivered(device, current)) {
      this.#counters.add('redelivered_total')
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
    const { low, high } = this.#hashOf(reading)
    return isRemembered(table, device, low, high)
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
    this.#counters.add('readings_accepted_total')
    if (!this.#arrival) {
      const { low, high } = this.#hashOf(reading)
      remember(table, device, low, high)
    }
    if (reading.timestampMs > table.float(device, clock)) {
      table.setFloat(device, clock, reading.timestampMs)
      this.#closer.closeDue(device, place.appendTimeMs, place.inputOffset)
    }
    this.#windows.add(device, reading, place.appendTimeMs, place.inputOffset)
  }

  #hashOf(reading: CurrentReading): { low: number; high: number } {
    this.#oneHash.hash(reading.bits, 1)
    return { low: this.#oneHash.low[0] as number, high: this.#oneHash.high[0] as number }
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

function bitsOf(batch: ReadingBatch): ReadingBits {
  return [batch.timestampMs, ...batch.channels].map(
    (column) => new Int32Array(column.buffer, column.byteOffset, column.length * 2),
  )
}

/** Whether two readings' values are the same, missing ones included. */
function sameValues(a: Float64Array, b: Float64Array): boolean {
  for (let k = 0; k < a.length; k++) if (!Object.is(a[k], b[k])) return false
  return true
}
