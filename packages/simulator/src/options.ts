import { ConfigurationError, type ConfigurationProblem } from '@millwright/core'
import { type FaultKind, faultKinds } from './fault-kinds.ts'

/** One kind of fault and how many devices have it. */
export interface FaultShare {
  readonly kind: FaultKind
  /** Share of the devices, 0..1; rounded to whole devices, at least one where it is above 0. */
  readonly share: number
}

/** What to simulate. The same options give the same bytes. */
export interface SimulationOptions {
  /** Any whole number of 0 .. 2^32 - 1. */
  readonly seed: number
  /** 1 .. 10,000,000. */
  readonly deviceCount: number
  /** Readings per second and device, 0.0001 .. 1000. */
  readonly ratePerDeviceHz: number
  /** True time of the first reading, whole epoch milliseconds, a day (room for skewed clocks) .. 2^42. */
  readonly startMs: number
  /** Length of the run, above 0 and at most ten years. */
  readonly durationMs: number
  /** Devices get different faults as long as the shares add up to 1 or less; beyond, some devices have several. */
  readonly faults?: readonly FaultShare[]
  /** Share of the lines that are malformed, 0..1. @default 0 */
  readonly malformedShare?: number
  /** What device ids begin with: 1–64 of `A–Z a–z 0–9 . _ -`. @default 'machine-' */
  readonly deviceIdPrefix?: string
}

/** 2^42, in the year 2109: what fits 13 digits and leaves no room for a timestamp in microseconds. */
const startMsMax = 4_398_046_511_104
const tenYearsMs = 10 * 366 * 86_400_000

/**
 * Fills in defaults.
 *
 * @throws {ConfigurationError} Naming every option that is out of its range.
 */
export function checkOptions(options: SimulationOptions): Required<SimulationOptions> {
  const checked = { faults: [], malformedShare: 0, deviceIdPrefix: 'machine-', ...options }
  const problems: ConfigurationProblem[] = []
  const check = (field: string, value: unknown, holds: boolean, wanted: string): void => {
    if (!holds) problems.push({ field, found: String(value), wanted })
  }
  const { seed, deviceCount, ratePerDeviceHz, startMs, durationMs, faults, malformedShare, deviceIdPrefix } = checked
  check('seed', seed, isWhole(seed, 0, 0xffffffff), 'a whole number of 0 to 4294967295')
  check('deviceCount', deviceCount, isWhole(deviceCount, 1, 10_000_000), 'a whole number of 1 to 10000000')
  check('ratePerDeviceHz', ratePerDeviceHz, ratePerDeviceHz >= 0.0001 && ratePerDeviceHz <= 1000, '0.0001 to 1000')
  check('startMs', startMs, isWhole(startMs, 86_400_000, startMsMax), 'epoch milliseconds of 2 January 1970 to 2109')
  check('durationMs', durationMs, durationMs > 0 && durationMs <= tenYearsMs, 'above 0 ms, at most ten years')
  check('malformedShare', malformedShare, isShare(malformedShare), '0 to 1')
  check('deviceIdPrefix', deviceIdPrefix, /^[A-Za-z0-9._-]{1,64}$/.test(deviceIdPrefix), '1 to 64 of A-Z a-z 0-9 . _ -')
  faults.forEach(({ kind, share }, i) => {
    check(`faults[${i}].kind`, kind, faultKinds.includes(kind), `one of ${faultKinds.join(', ')}`)
    check(`faults[${i}].share`, share, isShare(share), '0 to 1')
  })
  if (problems.length > 0) throw new ConfigurationError('Cannot simulate with these options:', problems)
  return checked
}

const isWhole = (value: number, min: number, max: number): boolean =>
  Number.isInteger(value) && value >= min && value <= max
const isShare = (value: number): boolean => value >= 0 && value <= 1
