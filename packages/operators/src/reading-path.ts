import {
  assert,
  ConfigurationError,
  type Plan,
  type ReadingBatch,
  type Refusal,
  rowEmpty,
  rowRefused,
} from '@millwright/core'
import { accumulate } from './accumulators/accumulate.ts'
import type { Cleaning } from './cleaning.ts'
import type { Counters } from './counters.ts'
import { CurrentReading } from './current-reading.ts'
import type { DeviceMemory } from './device-memory.ts'
import { clock, currentSlot, fastUntil, flagDirty, flags, flagWaiting, lastAppend } from './device-table.ts'
import type { DeviceTimers } from './device-timers.ts'
import { jumpMessage } from './jump.ts'
import { refusedBytes } from './output/messages.ts'
import type { ResultWriter } from './output/result-writer.ts'
import { hashReading, isRemembered, type ReadingBits, remember, rememberAt } from './redelivery.ts'
import { slabBits, slabMask } from './slabs.ts'
import type { WaitingReading } from './waiting-readings.ts'
import type { DeviceWindows } from './windows/device-windows.ts'
import type { WindowCloser } from './windows/window-closer.ts'
import { windowHeaderFloats, windowReadings } from './windows/window-store.ts'

/** Which reading of the input is at hand, and when it was appended. */
interface Place {
  readonly inputOffset: number
  readonly appendTimeMs: number
}

/**
 * The way of a reading: deadlines of its device, future guard, cleaning, redelivery, jumps, the device clock, windows.
 *
 * Most readings are in order, good, and belong to the window that is open anyway. For them {@link batch} does by itself what
 * the long way ({@link #reading}) would do: T4 says when, and the tests hold the two against each other.
 */
export class ReadingPath {
  readonly #plan: Plan
  readonly #memory: DeviceMemory
  readonly #cleaning: Cleaning
  readonly #timers: DeviceTimers
  readonly #closer: WindowCloser
  readonly #windows: DeviceWindows
  readonly #results: ResultWriter
  readonly #counters: Counters
  readonly #deviceId: (device: number) => string
  /** Event time is append time: such readings are never redelivered, and no device's clock can be wrong. */
  readonly #arrival: boolean
  readonly #usedChannels: readonly number[]
  readonly #current: CurrentReading
  readonly #confirmed: CurrentReading

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
  }) {
    this.#plan = options.plan
    this.#memory = options.memory
    this.#cleaning = options.cleaning
    this.#timers = options.timers
    this.#closer = options.closer
    this.#windows = options.windows
    this.#results = options.results
    this.#counters = options.counters
    this.#deviceId = options.deviceId
    this.#arrival = options.plan.time.timestamp === 'arrival'
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
    const { rowCount, device: deviceColumn } = batch
    const { table, windows } = this.#memory
    const timeless = Number.isNaN(appendTimeMs)
    if (this.#arrival && timeless) throw arrivalWithoutAppendTime()
    const arrival = this.#arrival
    this.#cleaning.look(batch)
    const suspect = this.#cleaning.suspect
    const used = this.#usedChannels.map((channel) => batch.channels[channel] as Float64Array)
    const bits = arrival ? [] : bitsOf(batch)
    const { accumulators, rawLayout } = windows
    const tableFloats = table.floats
    const tableInts = table.ints
    const tableStride = table.stride
    const windowFloats = windows.floats
    const windowStride = windows.stride
    const { silentAfterMs, maxJumpMs, maxClockAheadMs } = this.#plan.time
    let refusal = 0
    let readings = 0
    let accepted = 0
    for (let row = 0; row < rowCount; row++) {
      const device = deviceColumn[row] as number
      if (device < 0) {
        if (device === rowEmpty) continue
        assert(device === rowRefused, 'a row without a device is empty or refused')
        readings += 1
        this.#refused(batch, batch.refusals[refusal], row, baseOffset + row)
        refusal += 1
        continue
      }
      readings += 1
      const timestampMs = arrival ? appendTimeMs : (batch.timestampMs[row] as number)
      const floats = tableFloats[device >> slabBits]
      const base = (device & slabMask) * tableStride
      if (
        floats !== undefined &&
        timestampMs < (floats[base + fastUntil] as number) &&
        (timestampMs > (floats[base + clock] as number) || (arrival && timestampMs === floats[base + clock])) &&
        timestampMs - (floats[base + clock] as number) <= maxJumpMs &&
        suspect[row] === 0 &&
        (timeless ||
          ((floats[base + lastAppend] as number) <= appendTimeMs &&
            (floats[base + lastAppend] as number) + silentAfterMs > appendTimeMs &&
            timestampMs - appendTimeMs <= maxClockAheadMs))
      ) {
        accepted += 1
        const ints = tableInts[device >> slabBits] as Int32Array
        const intBase = base * 2
        floats[base + clock] = timestampMs
        if (!timeless) floats[base + lastAppend] = appendTimeMs
        if (!arrival) {
          hashReading(bits, row)
          rememberAt(ints, intBase)
        }
        if (((ints[intBase + flags] as number) & flagDirty) === 0) table.markDirty(device)
        const slot = ints[intBase + currentSlot] as number
        const fields = windowFloats[slot >> slabBits] as Float64Array
        const slotBase = (slot & slabMask) * windowStride
        fields[slotBase + windowReadings] = (fields[slotBase + windowReadings] as number) + 1
        accumulate(accumulators, fields, slotBase + windowHeaderFloats, used, row, timestampMs)
        if (rawLayout !== null) windows.addRaw(slot, batch.channels, row, timestampMs)
        continue
      }
      this.#reading(batch, row, timestampMs, { inputOffset: baseOffset + row, appendTimeMs })
    }
    this.#counters.add('readings_in_total', readings)
    this.#counters.add('readings_accepted_total', accepted)
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

  /** The long way: every rule, in order. */
  #reading(batch: ReadingBatch, row: number, timestampMs: number, place: Place): void {
    const device = batch.device[row] as number
    const current = this.#current
    this.#timers.recordCame(device, place.appendTimeMs, place.inputOffset)
    const refuse = (message: string): void => {
      const record = refusedBytes(batch.bytes, batch.lineStart[row] as number, batch.lineEnd[row] as number)
      const deviceId = this.#deviceId(device)
      this.#results.deadLetter({ reason: 'future', message, topic: 'sensor-data', deviceId, record }, place.inputOffset)
    }
    if (timestampMs - place.appendTimeMs > this.#plan.time.maxClockAheadMs) {
      refuse(futureMessage(timestampMs, place.appendTimeMs, this.#plan.time.maxClockAheadMs))
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
    hashReading(reading.bits, 0)
    return isRemembered(table, device)
  }

  /** Applies the jump rule; returns whether the reading at hand waits now. */
  #waits(device: number, reading: CurrentReading, batch: ReadingBatch, row: number, place: Place): boolean {
    const { table, waiting } = this.#memory
    const { maxJumpMs } = this.#plan.time
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
      hashReading(reading.bits, 0)
      remember(table, device)
    }
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
