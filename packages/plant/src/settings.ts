import type { ChannelKind } from '@millwright/core'
import type { AlertSettings } from './alert-settings.ts'
import type { Duration } from './duration.ts'
import type { Feature } from './features.ts'
import type { NotifySetting } from './notify-settings.ts'
import type { WindowSetting } from './windows.ts'

/** One measured quantity, as a project declares it. */
export interface ChannelSetting {
  /** As the field writes it: `'°C'`, `'mm/s'`, `'bar'`; `'1'` for none. */
  readonly unit: string
  /** Default `gauge`. */
  readonly kind?: ChannelKind
  /** Smallest value that is physically possible, inclusive. */
  readonly min?: number
  /** Largest value that is physically possible, inclusive. */
  readonly max?: number
}

/** Acts on readings whose value is outside [min, max]. The bounds themselves are inside. */
export interface CleaningSetting<C extends string> {
  readonly channel: C
  readonly min?: number
  readonly max?: number
  /** `drop` the whole reading (default), or make this channel `missing`. */
  readonly onBad?: 'drop' | 'missing'
  /** Under which it is counted. Default: the channel's name with `-range`. */
  readonly name?: string
}

/** Rules of time and order; `docs/guide/time.md` explains each. */
export interface TimeSettings {
  /** `event` (default): the reading's own timestamp. `arrival`: when it reached the log, for devices with no clock. */
  readonly timestamp?: 'event' | 'arrival'
  /** How long a window stays open for readings out of order, on the device's clock. Default 5 s. */
  readonly grace?: Duration
  /** How long a closed window still takes late readings, each emitting a revision. Default none. */
  readonly allowedLateness?: Duration
  /** Farthest step of a device's clock that is believed at once. Default 24 h. */
  readonly maxJump?: Duration
  /** Farthest a timestamp may be ahead of its append time. Default 5 min. */
  readonly maxClockAhead?: Duration
  /** Append time without a record after which a device is silent. Default two window sizes, at least 10 min. */
  readonly silentAfter?: Duration
  /** Append time without a record after which a device is forgotten. Default 30 d. */
  readonly forgetAfter?: Duration
  /** Most devices; readings of further ones are dead letters. Default 1,000,000. */
  readonly devicesMax?: number
}

export interface CsvSettings<C extends string> {
  /** Default `,`. */
  readonly delimiter?: string
  /** Decimal sign. Default `.`. */
  readonly decimal?: '.' | ','
  /** The column of the device id, or a fixed id for a file of one device. */
  readonly deviceId: { readonly column: string } | { readonly value: string }
  readonly timestamp: {
    readonly column: string
    /** `iso` (default), `epoch-ms`, `epoch-s`, or a pattern such as `dd.MM.yyyy HH:mm:ss`. */
    readonly format?: string
    /** IANA name; for times written without a zone. Default `UTC`. */
    readonly timeZone?: string
  }
  /** Channel → column. Default: each channel's column has its name. */
  readonly channels?: Readonly<Partial<Record<C, string>>>
}

/** What `definePlant` takes. `C` is the union of the channel names. */
export interface PlantSettings<C extends string> {
  /** Lower-case words joined by `-`. */
  readonly name: string
  readonly channels: Readonly<Record<C, ChannelSetting>>
  readonly cleaning?: readonly CleaningSetting<NoInfer<C>>[]
  readonly window: WindowSetting
  /** In the model's order. */
  readonly features: Readonly<Record<string, Feature<NoInfer<C>>>>
  /** Name of the model whose packages this plant accepts. Without one, features only. */
  readonly model?: string | { readonly name: string; readonly trustedKeys?: readonly string[] } | null
  /** When alerts are raised and end. Default: each window is judged by itself, against the model package's threshold. */
  readonly alert?: AlertSettings
  readonly time?: TimeSettings
  /** Default 3. Changed only by draining: it decides where a device's records go. */
  readonly partitions?: number
  /** Default: HTTP. */
  readonly sources?: readonly { readonly kind: 'http' }[]
  /** Default: high-risk alerts on the console. */
  readonly sinks?: readonly ({ readonly kind: 'console' } | { readonly kind: 'file'; readonly path: string })[]
  /** Who is told of changes of cases. Default: nobody. */
  readonly notify?: readonly NotifySetting[]
  readonly retention?: {
    /** Default 30 d. */
    readonly readings?: Duration
    /** Features, alerts, late readings and dead letters. Default 400 d. */
    readonly outputs?: Duration
    /** Bytes that the whole data folder may take. Default 20 GB. */
    readonly diskBytesMax?: number
  }
  /**
   * Sends a reading of a device of the plant's own so often, 1 s to 1 min, and measures how long it takes to an alert; `'5 s'` is a
   * good choice. Default: none. `docs/guide/heartbeat.md`.
   */
  readonly heartbeat?: Duration | null
  /**
   * Machines that work and stop together, by the name of their line: one command tells an event of all of them. Ids, no patterns: a machine that was
   * not heard of yet stops with its line, too. `docs/guide/alerts.md`.
   */
  readonly lines?: Readonly<Record<string, readonly string[]>>
  readonly csv?: CsvSettings<NoInfer<C>>
}
