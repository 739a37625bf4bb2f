/**
 * What can go wrong, as one table: where a fault acts, how it is placed in a run, and how large it is. Shares are of
 * the run: a simulated hour and a simulated month show the same faults at the same relative places.
 */

export const channelNames = ['temperature', 'vibration', 'pressure'] as const
export type ChannelName = (typeof channelNames)[number]

/** In the order in which they act on a reading: the machine, its sensors, the clock, the delivery. */
export const faultKinds = [
  'bearing-wear',
  'imbalance',
  'leak',
  'fouling',
  'sensor-stuck',
  'sensor-drift',
  'clock-skew',
  'clock-drift',
  'gap',
  'duplicate',
  'late-batch',
] as const
export type FaultKind = (typeof faultKinds)[number]

/** `machine`: the values are true and bad. `sensor`: the values are false. `clock`: the timestamps are false. */
export type FaultGroup = 'machine' | 'sensor' | 'clock' | 'delivery'

export interface FaultTraits {
  readonly group: FaultGroup
  /** The run's middle part (10 % to 90 %) is cut into so many equal stretches, with one occurrence in each. */
  readonly occurrences: number
  /** Shortest and longest occurrence, as a share of its stretch. */
  readonly lengthShare: readonly [min: number, max: number]
  /** `stays`: in force until the run ends. `ends`: gone when its length is over. */
  readonly afterwards: 'stays' | 'ends'
  /** Severity at once at the start; from there it rises in a straight line to 1 at the end of the length. */
  readonly severityAtStart: number
  /** Size at severity 1, one for each channel it can hit; see the machine and the clock for what it multiplies. */
  readonly magnitude: readonly (readonly [min: number, max: number])[]
  /** Whether the magnitude's sign is chosen by chance. */
  readonly signed: boolean
  /** The channel of `magnitude[0]`, where it acts on one; `any`: one is chosen, `magnitude[channel]` is its size. */
  readonly channel: ChannelName | 'any' | null
}

const progressive = { occurrences: 1, lengthShare: [0.5, 0.65], afterwards: 'stays' } as const

/** Temperatures in °C, vibration in mm/s, pressure in bar, clocks in milliseconds, else shares. */
export const faultTraits: Readonly<Record<FaultKind, FaultTraits>> = {
  'bearing-wear': {
    ...progressive,
    group: 'machine',
    severityAtStart: 0,
    magnitude: [[5, 8]],
    signed: false,
    channel: 'vibration',
  },
  imbalance: {
    ...progressive,
    group: 'machine',
    severityAtStart: 0.35,
    magnitude: [[3, 5]],
    signed: false,
    channel: 'vibration',
  },
  leak: {
    ...progressive,
    group: 'machine',
    severityAtStart: 0,
    magnitude: [[0.5, 0.75]],
    signed: false,
    channel: 'pressure',
  },
  fouling: {
    ...progressive,
    group: 'machine',
    severityAtStart: 0,
    magnitude: [[20, 30]],
    signed: false,
    channel: 'temperature',
  },
  'sensor-stuck': {
    ...progressive,
    group: 'sensor',
    severityAtStart: 1,
    magnitude: [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
    signed: false,
    channel: 'any',
  },
  'sensor-drift': {
    ...progressive,
    group: 'sensor',
    severityAtStart: 0,
    magnitude: [
      [10, 20],
      [1.5, 3],
      [1, 2],
    ],
    signed: true,
    channel: 'any',
  },
  'clock-skew': {
    ...progressive,
    group: 'clock',
    severityAtStart: 1,
    magnitude: [[20_000, 240_000]],
    signed: true,
    channel: null,
  },
  'clock-drift': {
    ...progressive,
    group: 'clock',
    severityAtStart: 0,
    magnitude: [[20_000, 240_000]],
    signed: true,
    channel: null,
  },
  gap: {
    group: 'delivery',
    occurrences: 3,
    lengthShare: [0.05, 0.2],
    afterwards: 'ends',
    severityAtStart: 1,
    magnitude: [[0, 0]],
    signed: false,
    channel: null,
  },
  duplicate: {
    group: 'delivery',
    occurrences: 1,
    lengthShare: [0.5, 0.65],
    afterwards: 'ends',
    severityAtStart: 1,
    // The share of readings in the occurrence that bring an earlier one again.
    magnitude: [[0.1, 0.3]],
    signed: false,
    channel: null,
  },
  'late-batch': {
    group: 'delivery',
    occurrences: 2,
    lengthShare: [0.05, 0.15],
    afterwards: 'ends',
    severityAtStart: 1,
    // The delay from the end of the occurrence to the delivery, as a share of the stretch.
    magnitude: [[0.05, 0.15]],
    signed: false,
    channel: null,
  },
}
