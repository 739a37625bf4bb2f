import { channelNames } from './fault-kinds.ts'
import { type FaultTable, kindOf, severityAt } from './fault-table.ts'
import { exponentialGrowth } from './growth.ts'
import { plannedLoad, shiftPatternCount, triangle } from './load.ts'
import { bellOf, randomWord, uniform, unitOf } from './random.ts'
import type { Schedule } from './schedule.ts'

const [temperature, vibration, pressure] = [0, 1, 2]
const dayMs = 86_400_000
const driveRampMs = 6 * 60_000
const heatRampMs = 60 * 60_000
/**
 * Words of chance of one tick, from counter tick · 8 on: 0–2 measurement noise, 3 and 4 bearing knocks, 5 and 6
 * redelivery, 7 malformation. A machine's own make has the negative counters.
 */
const wordsPerTick = 8

/**
 * What the sensors of the fleet's machines say: a function of device and tick, with nothing remembered between calls
 * but each machine's own make (29 bytes) and what its stuck sensors hold.
 *
 * Healthy: temperature (°C) follows load within an hour and the day's ambient; vibration (mm/s RMS) and pressure (bar)
 * follow load within minutes. Levels are those of small pumps and fans: 1–3 mm/s healthy, 7 and more when failed
 * (compare the zones of ISO 20816-3).
 */
export class Machines {
  readonly #table: FaultTable
  readonly #schedule: Schedule
  readonly #seed: number
  readonly #pattern: Uint8Array
  readonly #temperatureBaseC: Float32Array
  readonly #temperatureRiseC: Float32Array
  readonly #vibrationBaseMmPerS: Float32Array
  readonly #vibrationRiseMmPerS: Float32Array
  readonly #pressureBar: Float32Array
  readonly #cyclePeriodMs: Float32Array
  readonly #cyclePhase: Float32Array
  readonly #heldValue: Float64Array

  constructor(options: { seed: number; schedule: Schedule; table: FaultTable }) {
    const { seed, schedule, table } = options
    const count = schedule.deviceCount
    this.#table = table
    this.#schedule = schedule
    this.#seed = seed
    const spread = (min: number, max: number, salt: number): Float32Array => {
      const values = new Float32Array(count)
      for (let i = 0; i < count; i++) values[i] = uniform(this.deviceKey(i), salt, min, max)
      return values
    }
    this.#pattern = new Uint8Array(count)
    for (let i = 0; i < count; i++) {
      this.#pattern[i] = Math.floor(unitOf(randomWord(this.deviceKey(i), -1)) * shiftPatternCount)
    }
    this.#temperatureBaseC = spread(34, 42, -2)
    this.#temperatureRiseC = spread(14, 20, -3)
    this.#vibrationBaseMmPerS = spread(0.5, 0.9, -4)
    this.#vibrationRiseMmPerS = spread(0.9, 1.6, -5)
    this.#pressureBar = spread(4, 6, -6)
    this.#cyclePeriodMs = spread(6 * 60_000, 20 * 60_000, -7)
    this.#cyclePhase = spread(0, 1, -8)
    this.#heldValue = this.#whatStuckSensorsHold()
  }

  /** The key of all chance that is this device's own. */
  deviceKey(device: number): number {
    return randomWord(this.#seed, device)
  }

  /** Returns a word of chance of one reading, the same each time. `index` is 0..7, see `wordsPerTick`. */
  word(device: number, tick: number, index: number): number {
    return randomWord(this.deviceKey(device), Math.imul(tick, wordsPerTick) + index)
  }

  /** Puts the values of one reading, faults included, into `values`: temperature, vibration, pressure. */
  measure(device: number, tick: number, values: Float64Array): void {
    this.#measureWithout(-1, device, tick, values)
  }

  /** As {@link measure}, as if one fault were not there. */
  #measureWithout(absentFault: number, device: number, tick: number, values: Float64Array): void {
    const timeMs = this.#schedule.timeMs(device, tick)
    const counter = Math.imul(tick, wordsPerTick)
    const key = this.deviceKey(device)
    const pattern = this.#pattern[device] as number
    const cycle = triangle(timeMs, this.#cyclePeriodMs[device] as number, this.#cyclePhase[device] as number)
    const drive = plannedLoad(pattern, timeMs, driveRampMs) * (0.92 + 0.08 * cycle)
    const heat = plannedLoad(pattern, timeMs, heatRampMs)
    // The day is warmest at 15:00: the triangle's peak lies at half its period.
    const ambientC = 2 * triangle(timeMs, dayMs, -0.125)
    values[temperature] =
      (this.#temperatureBaseC[device] as number) +
      (this.#temperatureRiseC[device] as number) * heat +
      ambientC +
      0.25 * bellOf(randomWord(key, counter))
    values[vibration] =
      (this.#vibrationBaseMmPerS[device] as number) +
      (this.#vibrationRiseMmPerS[device] as number) * drive +
      (0.03 + 0.04 * drive) * bellOf(randomWord(key, counter + 1))
    values[pressure] =
      (this.#pressureBar[device] as number) * (0.92 + 0.08 * drive) + 0.03 * bellOf(randomWord(key, counter + 2))
    let fault = this.#table.firstOfDevice[device] as number
    for (; fault >= 0; fault = this.#table.next[fault] as number) {
      const severity = severityAt(this.#table, fault, timeMs)
      if (severity > 0 && fault !== absentFault) this.#disturb(values, { fault, severity, drive, heat, key, counter })
    }
  }

  /** What the device's clock adds to true time, whole milliseconds. */
  clockOffsetMs(device: number, timeMs: number): number {
    let offsetMs = 0
    let fault = this.#table.firstOfDevice[device] as number
    for (; fault >= 0; fault = this.#table.next[fault] as number) {
      const kind = kindOf(this.#table, fault)
      if (kind !== 'clock-skew' && kind !== 'clock-drift') continue
      offsetMs += Math.floor((this.#table.magnitude[fault] as number) * severityAt(this.#table, fault, timeMs))
    }
    return offsetMs
  }

  #disturb(
    values: Float64Array,
    what: { fault: number; severity: number; drive: number; heat: number; key: number; counter: number },
  ): void {
    const { fault, severity, drive, heat, key, counter } = what
    const magnitude = this.#table.magnitude[fault] as number
    const channel = this.#table.channel[fault] as number
    switch (kindOf(this.#table, fault)) {
      case 'bearing-wear': {
        const damage = exponentialGrowth(severity)
        add(values, vibration, magnitude * damage * (0.4 + 0.6 * drive))
        // A defect in the raceway knocks now and then long before it raises the level: first kurtosis, then RMS.
        if (unitOf(randomWord(key, counter + 3)) < 0.01 + 0.05 * severity) {
          add(
            values,
            vibration,
            (0.5 + 2.5 * damage) * (1 + unitOf(randomWord(key, counter + 4))) * (0.3 + 0.7 * drive),
          )
        }
        // Heat follows wear, later: it needs friction, not only knocks.
        add(values, temperature, 18 * exponentialGrowth(severity - 0.05))
        break
      }
      case 'imbalance':
        // The force of a mass off centre grows with the square of speed.
        add(values, vibration, magnitude * severity * drive * drive)
        break
      case 'leak':
        // What is left decays exponentially: the lower the pressure, the slower it leaks.
        values[pressure] = (values[pressure] as number) * (1 - magnitude * (1 - exponentialGrowth(1 - severity)))
        break
      case 'fouling':
        // A fouled cooler lacks in proportion to the heat it should carry away.
        add(values, temperature, magnitude * severity * heat)
        break
      case 'sensor-stuck':
        values[channel] = this.#heldValue[fault] as number
        break
      case 'sensor-drift':
        add(values, channel, magnitude * severity)
        break
      case 'clock-skew':
      case 'clock-drift':
      case 'gap':
      case 'duplicate':
      case 'late-batch':
        break // These do not change what is measured.
    }
  }

  /** A stuck sensor repeats what it said last before it stuck; one that was stuck from the first, what it would have said. */
  #whatStuckSensorsHold(): Float64Array {
    const held = new Float64Array(this.#table.count)
    const values = new Float64Array(channelNames.length)
    for (let fault = 0; fault < this.#table.count; fault++) {
      if (kindOf(this.#table, fault) !== 'sensor-stuck') continue
      const device = this.#table.device[fault] as number
      const stuckTick = this.#schedule.firstTickFrom(device, this.#table.startMs[fault] as number)
      this.#measureWithout(fault, device, Math.max(0, stuckTick - 1), values)
      held[fault] = values[this.#table.channel[fault] as number] as number
    }
    return held
  }
}

function add(values: Float64Array, channel: number, amount: number): void {
  values[channel] = (values[channel] as number) + amount
}
