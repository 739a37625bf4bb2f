import type { DeadLetterReason } from '@millwright/core'
import { channelNames } from './fault-kinds.ts'
import { type FaultTable, kindOf, placeFaults, severityAt } from './fault-table.ts'
import { type InjectedFault, injectedFault } from './ground-truth.ts'
import { Machines } from './machines.ts'
import { malformations } from './malformed.ts'
import { checkOptions, type SimulationOptions } from './options.ts'
import { mix32, unitOf } from './random.ts'
import { ascii, ReadingLineWriter, simulatedLineBytesMax } from './reading-line.ts'
import { Schedule } from './schedule.ts'

/** One line as it arrives. */
export interface SimulatedLine {
  /** The device that sent it, also where a malformed line does not say so. */
  readonly deviceId: string
  /** What the device's clock said, epoch milliseconds. */
  readonly timestampMs: number
  /** True time of arrival, epoch milliseconds; never goes back from one line to the next. */
  readonly arrivalMs: number
  /** Without its newline. One character is one byte (malformed lines may be other than UTF-8). */
  readonly line: string
}

/** How many lines of which sort have been pulled so far. */
export interface SimulationCounts {
  lines: number
  /** Lines that are not good readings, by the reason with which a plant refuses them. Part of `lines`. */
  malformed: Partial<Record<DeadLetterReason, number>>
  /** Lines that bring an earlier one again, byte for byte. Part of `lines`. */
  redelivered: number
  /** Lines of late batches. Part of `lines`. */
  late: number
  /** Readings that were never sent: the device was in a gap. */
  missing: number
}

/**
 * A fleet's lines in the order of their arrival.
 *
 * S1. A line is a function of the options, the device and the tick; the order is one of the options alone.
 * S2. However many lines are pulled at once, and by whichever method, the bytes are the same.
 * S3. Arrival time never goes back. Within one arrival: late batches due, then the reading, then a redelivery.
 * S4. Each tick of each device is sent exactly once, live or in a late batch, unless it lies in a gap; only
 *     redeliveries come on top, and only of what was already sent live.
 */
export class Simulation implements Iterable<SimulatedLine> {
  readonly options: Required<SimulationOptions>
  readonly counts: SimulationCounts = { lines: 0, malformed: {}, redelivered: 0, late: 0, missing: 0 }
  readonly #table: FaultTable
  readonly #schedule: Schedule
  readonly #machines: Machines
  readonly #writer: ReadingLineWriter
  readonly #values = new Float64Array(channelNames.length)
  readonly #lineBytes = new Uint8Array(simulatedLineBytesMax)
  /** Faults that are late batches, by the time of their delivery. */
  readonly #lateBatches: Int32Array
  #lateBatchNext = 0
  /** The late batch that is being delivered: its device and what is left of its ticks. */
  #batchDevice = -1
  #batchTick = 0
  #batchTickEnd = 0
  /** The next slot: a tick of a device. */
  #tick = 0
  #device = 0
  /** A redelivery to come before the next slot; -1 for none. */
  #redeliverTick = -1
  #redeliverDevice = -1
  /** The line that was chosen last. */
  #lineDevice = 0
  #lineTick = 0
  #lineArrivalMs: number

  /** @throws {ConfigurationError} When an option is out of its range; names each. */
  constructor(options: SimulationOptions) {
    this.options = checkOptions(options)
    this.#schedule = new Schedule(this.options)
    this.#table = placeFaults(this.options)
    this.#machines = new Machines({ seed: this.options.seed, schedule: this.#schedule, table: this.#table })
    this.#writer = new ReadingLineWriter(this.options)
    this.#lateBatches = lateBatchesByDelivery(this.#table)
    this.#lineArrivalMs = this.options.startMs
  }

  /** True time of the next arrival, or of the end of the run, epoch milliseconds. */
  get nextArrivalMs(): number {
    if (this.#batchTick < this.#batchTickEnd || this.#redeliverTick >= 0) return this.#lineArrivalMs
    return Math.min(this.#schedule.timeMs(this.#device, this.#tick), this.#schedule.endMs)
  }

  /**
   * Writes as many whole lines, each with its newline, as fit into `target`; returns how many bytes. 0 means that the
   * run is over or that nothing arrives before `untilMs`: {@link nextArrivalMs} tells which.
   *
   * @param target At least `simulatedLineBytesMax` bytes.
   * @param untilMs Only lines that arrive before this true time.
   */
  fill(target: Uint8Array, untilMs = Number.POSITIVE_INFINITY): number {
    let at = 0
    while (at + simulatedLineBytesMax <= target.length && this.#choose(untilMs)) at = this.#writeLine(target, at)
    return at
  }

  /** Returns the next line; `null` when the run is over. */
  next(): SimulatedLine | null {
    if (!this.#choose(Number.POSITIVE_INFINITY)) return null
    const end = this.#writeLine(this.#lineBytes, 0)
    return {
      deviceId: this.#writer.deviceId(this.#lineDevice),
      timestampMs: this.#timestampMs(),
      arrivalMs: this.#lineArrivalMs,
      line: textOf(this.#lineBytes, end - 1),
    }
  }

  /** Iterates over what is left of the run; all iterators of one simulation share its place. */
  *[Symbol.iterator](): Generator<SimulatedLine, void, undefined> {
    for (let line = this.next(); line !== null; line = this.next()) yield line
  }

  /** Every fault of the whole run, by kind, then device, then start; the same before, during and after it. */
  groundTruth(): InjectedFault[] {
    return Array.from({ length: this.#table.count }, (_, fault) =>
      injectedFault(this.#table, fault, this.#writer.deviceId(this.#table.device[fault] as number)),
    )
  }

  /** Chooses the next line; false when the run is over or nothing more arrives before the time. */
  #choose(untilMs: number): boolean {
    for (;;) {
      if (this.#redeliverTick >= 0) return this.#chooseRedelivery()
      if (this.#batchTick < this.#batchTickEnd) {
        if (this.#chooseFromBatch()) return true
        continue
      }
      const arrivalMs = this.#schedule.timeMs(this.#device, this.#tick)
      if (arrivalMs >= untilMs) return false
      if (this.#openBatchDue(arrivalMs)) continue
      // Slots are in order of time, so that the first one past the end ends the run.
      if (arrivalMs >= this.#schedule.endMs) return false
      if (this.#chooseLive(arrivalMs)) return true
    }
  }

  #chooseRedelivery(): boolean {
    this.#lineDevice = this.#redeliverDevice
    this.#lineTick = this.#redeliverTick
    this.#redeliverTick = -1
    this.counts.redelivered++
    return true
  }

  #chooseFromBatch(): boolean {
    const tick = this.#batchTick++
    if (this.#isIn('gap', this.#batchDevice, tick)) {
      this.counts.missing++
      return false
    }
    this.#lineDevice = this.#batchDevice
    this.#lineTick = tick
    this.counts.late++
    return true
  }

  /** Opens the next late batch if it is due at the time, or if the run is over. */
  #openBatchDue(arrivalMs: number): boolean {
    const fault = this.#lateBatches[this.#lateBatchNext]
    if (fault === undefined || (this.#table.deliveredMs[fault] as number) > arrivalMs) return false
    this.#lateBatchNext++
    this.#batchDevice = this.#table.device[fault] as number
    this.#batchTick = this.#schedule.firstTickFrom(this.#batchDevice, this.#table.startMs[fault] as number)
    this.#batchTickEnd = this.#schedule.firstTickFrom(this.#batchDevice, this.#table.endMs[fault] as number)
    this.#lineArrivalMs = Math.min(arrivalMs, this.#schedule.endMs)
    return true
  }

  /** Takes the next slot; false when nothing is sent in it. */
  #chooseLive(arrivalMs: number): boolean {
    const device = this.#device
    const tick = this.#tick
    this.#device = device + 1
    if (this.#device === this.#schedule.deviceCount) {
      this.#device = 0
      this.#tick = tick + 1
    }
    this.#lineArrivalMs = arrivalMs
    if ((this.#table.firstOfDevice[device] as number) >= 0) {
      if (this.#isIn('late-batch', device, tick)) return false
      if (this.#isIn('gap', device, tick)) {
        this.counts.missing++
        return false
      }
      this.#planRedelivery(device, tick)
    }
    this.#lineDevice = device
    this.#lineTick = tick
    return true
  }

  /** A device that got no acknowledgement sends one of its last four readings again. */
  #planRedelivery(device: number, tick: number): void {
    const fault = this.#faultAt('duplicate', device, tick)
    if (fault < 0) return
    const word = this.#machines.word(device, tick, 5)
    if (unitOf(word) >= (this.#table.magnitude[fault] as number)) return
    const earlier = tick - (this.#machines.word(device, tick, 6) & 3)
    // Only what was sent live, and within the fault, so that the truth is exact (S4).
    if (earlier < 0 || this.#faultAt('duplicate', device, earlier) !== fault) return
    if (this.#isIn('gap', device, earlier) || this.#isIn('late-batch', device, earlier)) return
    this.#redeliverDevice = device
    this.#redeliverTick = earlier
  }

  #isIn(kind: 'gap' | 'late-batch', device: number, tick: number): boolean {
    return this.#faultAt(kind, device, tick) >= 0
  }

  /** The device's fault of the kind that is in force at the tick; -1 for none. */
  #faultAt(kind: 'gap' | 'late-batch' | 'duplicate', device: number, tick: number): number {
    const timeMs = this.#schedule.timeMs(device, tick)
    let fault = this.#table.firstOfDevice[device] as number
    for (; fault >= 0; fault = this.#table.next[fault] as number) {
      if (kindOf(this.#table, fault) === kind && severityAt(this.#table, fault, timeMs) > 0) return fault
    }
    return -1
  }

  #timestampMs(): number {
    const timeMs = this.#schedule.timeMs(this.#lineDevice, this.#lineTick)
    return timeMs + this.#machines.clockOffsetMs(this.#lineDevice, timeMs)
  }

  #writeLine(target: Uint8Array, offset: number): number {
    this.counts.lines++
    this.#machines.measure(this.#lineDevice, this.#lineTick, this.#values)
    const reading = { device: this.#lineDevice, timestampMs: this.#timestampMs(), values: this.#values }
    const end = this.#writer.write(target, offset, reading)
    const { malformedShare } = this.options
    if (malformedShare === 0) return end
    if (unitOf(this.#machines.word(this.#lineDevice, this.#lineTick, 7)) >= malformedShare) return end
    return this.#spoilLine(target, offset, end)
  }

  #spoilLine(target: Uint8Array, offset: number, end: number): number {
    // From the line's own word, so that a redelivered broken line is broken in the same way.
    const choice = mix32(this.#machines.word(this.#lineDevice, this.#lineTick, 7)) >>> 0
    const malformation = malformations[choice % malformations.length]
    if (malformation === undefined) return end
    const { reason, spoil } = malformation
    this.counts.malformed[reason] = (this.counts.malformed[reason] ?? 0) + 1
    const bytes = ascii(`${spoil(textOf(target.subarray(offset), end - offset - 1))}\n`)
    target.set(bytes, offset)
    return offset + bytes.length
  }
}

/** Starts a simulation at its first line. See {@link Simulation}. */
export function createSimulation(options: SimulationOptions): Simulation {
  return new Simulation(options)
}

function lateBatchesByDelivery(table: FaultTable): Int32Array {
  const batches: number[] = []
  for (let fault = 0; fault < table.count; fault++) if (kindOf(table, fault) === 'late-batch') batches.push(fault)
  // Ties by the table's order, so that the order is one of the options alone (S1).
  batches.sort((a, b) => (table.deliveredMs[a] as number) - (table.deliveredMs[b] as number) || a - b)
  return Int32Array.from(batches)
}

/** One character a byte. */
function textOf(bytes: Uint8Array, length: number): string {
  return String.fromCharCode.apply(null, bytes.subarray(0, length) as unknown as number[])
}
