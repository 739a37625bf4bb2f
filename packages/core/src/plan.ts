import type { NotifyChannel } from './notify.ts'
import type { AlertSeverity, MuteCause } from './records.ts'

/**
 * A plan is what engines run: frozen data (but for users' own functions), made by `definePlant`, checked whole.
 * Every node has a `kind`; a switch over it is exhaustive by type. Durations are milliseconds.
 */

/** `gauge`: a quantity with a level. `counter`: rises until it restarts. `state`: a code (0, 1, 2…). */
export type ChannelKind = 'gauge' | 'counter' | 'state'

export interface Channel {
  readonly name: string
  /** Unit as the field writes it, for example `°C`, `mm/s`, `bar`; `1` for none. */
  readonly unit: string
  readonly kind: ChannelKind
  /** Smallest and largest value that is physically possible, inclusive; `null` for no limit. Informs; cleaning acts. */
  readonly min: number | null
  readonly max: number | null
}

/** Acts on readings whose value is < min or > max. A missing value never matches. */
export interface RangeRule {
  readonly kind: 'range'
  /** Name under which drops are counted. */
  readonly name: string
  readonly channel: string
  readonly min: number | null
  readonly max: number | null
  /** `drop` the whole reading (the reference), or make that channel `missing`. */
  readonly onBad: 'drop' | 'missing'
}
export type CleaningRule = RangeRule

export interface TumblingWindow {
  readonly kind: 'tumbling'
  readonly sizeMs: number
}
/** Windows of `sizeMs` that start at each multiple of `slideMs`; a reading is in `sizeMs / slideMs` of them. */
export interface HoppingWindow {
  readonly kind: 'hopping'
  readonly sizeMs: number
  readonly slideMs: number
}
export interface SessionWindow {
  readonly kind: 'session'
  readonly gapMs: number
}
/** Each accepted reading is a window of its own, `[timestamp, timestamp + 1)`, emitted at once: quality inspection. */
export interface PerReadingWindow {
  readonly kind: 'per-reading'
}
export type WindowNode = TumblingWindow | HoppingWindow | SessionWindow | PerReadingWindow

/** Statistics of one channel's values in one window. Over no value each is missing, except `count`, which is 0. */
export const aggregateStatistics = [
  'count',
  'mean',
  'std',
  'min',
  'max',
  'range',
  'first',
  'last',
  'slope',
  'rms',
  'skewness',
  'kurtosis',
  'crestFactor',
] as const

export type AggregateStatistic = (typeof aggregateStatistics)[number]

export interface AggregateNode {
  readonly kind: 'aggregate'
  readonly statistic: AggregateStatistic
  /** `null` only for `count`: the number of accepted readings. */
  readonly channel: string | null
}
export interface QuantileNode {
  readonly kind: 'quantile'
  readonly channel: string
  /** 0..1; linear interpolation between order statistics, as NumPy's default (Hyndman–Fan type 7). */
  readonly q: number
}
/** The value of `of` that many existing windows of the device earlier; missing where there is none. */
export interface LagNode {
  readonly kind: 'lag'
  readonly of: FeatureNode
  readonly windows: number
}
/** `of` now minus `of` that many windows earlier. */
export interface DifferenceNode {
  readonly kind: 'difference'
  readonly of: FeatureNode
  readonly windows: number
}
/** Over this and the `windows - 1` windows before it, as far as they exist and are not missing. `std` of one value is 0. */
export interface RollingNode {
  readonly kind: 'rolling'
  readonly statistic: 'mean' | 'std' | 'min' | 'max'
  readonly of: FeatureNode
  readonly windows: number
}
/** `y = alpha·x + (1 - alpha)·y`, starting at the first value that is not missing; a missing x keeps y. */
export interface ExponentialMeanNode {
  readonly kind: 'exponential-mean'
  readonly of: FeatureNode
  /** 0 < alpha <= 1. */
  readonly alpha: number
}
/** Hours from the newest event of the type at or before the window's end to the window's end; missing when none. */
export interface HoursSinceNode {
  readonly kind: 'hours-since'
  readonly eventType: string
}
/** Events of the type with `windowEnd - hours < timestamp <= windowEnd`. */
export interface CountOfNode {
  readonly kind: 'count-of'
  readonly eventType: string
  readonly hours: number
}
/** A user's own pure function of other features. */
export interface DerivedNode {
  readonly kind: 'derived'
  readonly of: readonly FeatureNode[]
  readonly compute: (...values: number[]) => number
}
/** A user's own pure function of the window's raw values, oldest first (by time, then by arrival). */
export interface CustomNode {
  readonly kind: 'custom'
  readonly channels: readonly string[]
  readonly compute: (series: WindowSeries) => number
}
export type FeatureNode =
  | AggregateNode
  | QuantileNode
  | LagNode
  | DifferenceNode
  | RollingNode
  | ExponentialMeanNode
  | HoursSinceNode
  | CountOfNode
  | DerivedNode
  | CustomNode

/** What a custom feature sees. Arrays have one entry per accepted reading; a missing value is NaN. */
export interface WindowSeries {
  readonly windowStart: number
  readonly windowEnd: number
  readonly timestamps: Float64Array
  readonly values: Readonly<Record<string, Float64Array>>
}

export interface NamedFeature {
  readonly name: string
  /** Unit of the feature, derived from its channel where it can be; `1` for none. */
  readonly unit: string
  readonly node: FeatureNode
}

/** Rules of time and order (DESIGN section 4). All milliseconds. */
export interface TimeRules {
  /** `event`: the reading's own timestamp. `arrival`: its append time; for devices with no clock. */
  readonly timestamp: 'event' | 'arrival'
  readonly graceMs: number
  readonly allowedLatenessMs: number
  readonly maxJumpMs: number
  readonly maxClockAheadMs: number
  readonly silentAfterMs: number
  readonly forgetAfterMs: number
  readonly devicesMax: number
}

/** One severity that an alert may have, and the probabilities at which it is reached and left. */
export interface AlertLevel {
  readonly severity: AlertSeverity
  /** Reached when probability > threshold; `null`: the model package's. 0..1. */
  readonly threshold: number | null
  /** Left when probability <= this; `null`: the threshold. Never above the threshold. */
  readonly clearThreshold: number | null
}

/** When alerts of a device are raised, change, and end: docs/guide/alerts.md. */
export interface DevicePolicy {
  /** In ascending order of severity and threshold; the first is `warning`. */
  readonly levels: readonly AlertLevel[]
  /** A severity is reached when `high` of the last `of` windows were above its threshold. `1 <= high <= of`. */
  readonly windows: { readonly high: number; readonly of: number }
  /** An alert keeps a severity for at least that long, by the ends of windows. */
  readonly minimumDurationMs: number
  /** An alert that nothing has held up for that long ends; `null`: none does. Not below the minimum duration. */
  readonly clearAfterMs: number | null
}

/** Between events of two types a device raises no alert. */
export interface AlertMute {
  readonly cause: MuteCause
  readonly beginType: string
  readonly endType: string
  /** How long it lasts where no end is heard of; `null`: until one is. */
  readonly atMostMs: number | null
  /** How long it lasts beyond its end. */
  readonly settleMs: number
}

/** What a policy says beyond one threshold for every window by itself. */
export interface AlertRules {
  /** Of devices that no entry of `devices` matches. */
  readonly policy: DevicePolicy
  /** The first that has a pattern of the device's id counts. A pattern is the id, `*` in it any text, also none. */
  readonly devices: readonly { readonly match: readonly string[]; readonly policy: DevicePolicy }[]
  /** At most one of each cause; where a window lies in both, the first counts. */
  readonly mutes: readonly AlertMute[]
}

export interface AlertPolicy {
  /** A window is at high risk when probability > threshold; `null`: the model package's. 0..1. `rules` have their own. */
  readonly threshold: number | null
  /** Most contributions listed in `why`. */
  readonly whyMax: number
  /** Absent where each window is judged by itself: messages have no marks then, and nothing is remembered for them. */
  readonly rules?: AlertRules
}

export interface RetentionRules {
  readonly readingsMs: number
  readonly outputsMs: number
  /** Bytes that the whole data folder may take; the oldest readings go first. */
  readonly diskBytesMax: number
}

/** The plant's own device, by which the way from the door to the alert is known to be open; docs/guide/heartbeat.md. */
export interface HeartbeatRules {
  /** Between two readings of it, milliseconds. */
  readonly intervalMs: number
}

/** Machines that work and stop together; docs/guide/alerts.md. */
export interface PlantLine {
  /** Unique in the plant. */
  readonly name: string
  /** Ids, each once; a machine may be of several lines. */
  readonly devices: readonly string[]
}

export interface HttpSource {
  readonly kind: 'http'
}
export type SourceNode = HttpSource
export interface ConsoleSink {
  readonly kind: 'console'
}
/** Also writes high-risk alerts to a file a person can follow. */
export interface FileSink {
  readonly kind: 'file'
  /** Relative to the data folder. */
  readonly path: string
}
export type SinkNode = ConsoleSink | FileSink

/** How a CSV file of readings is to be read. */
export interface CsvFormat {
  readonly delimiter: string
  readonly decimal: '.' | ','
  /** Column that holds the device id, or a fixed id for a file of one device. */
  readonly deviceId: { readonly column: string } | { readonly value: string }
  readonly timestamp: {
    readonly column: string
    /** `iso` (zone from the text, or `timeZone`), `epoch-ms`, `epoch-s`, or a pattern of `yyyy MM dd HH mm ss SSS`. */
    readonly format: string
    /** IANA name; only for times written without a zone. */
    readonly timeZone: string
  }
  /** Channel name → column name. */
  readonly channels: Readonly<Record<string, string>>
}

export interface Plan {
  readonly kind: 'plan'
  readonly name: string
  readonly channels: readonly Channel[]
  readonly cleaning: readonly CleaningRule[]
  readonly window: WindowNode
  /** In the model's order. */
  readonly features: readonly NamedFeature[]
  /** Name of the model whose packages this plant accepts; `null`: features only. */
  readonly model: { readonly name: string; readonly trustedKeys: readonly string[] } | null
  readonly alert: AlertPolicy
  readonly time: TimeRules
  readonly partitionCount: number
  readonly sources: readonly SourceNode[]
  readonly sinks: readonly SinkNode[]
  /** Where changes of cases are told. */
  readonly notify: readonly NotifyChannel[]
  readonly retention: RetentionRules
  /** `null`: none. */
  readonly heartbeat: HeartbeatRules | null
  readonly lines: readonly PlantLine[]
  readonly csv: CsvFormat | null
}
