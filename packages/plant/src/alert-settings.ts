import type { AlertSeverity } from '@millwright/core'
import type { Duration } from './duration.ts'

/** When alerts are raised, change and end; `docs/guide/alerts.md` explains each and what it costs in delay. */
export interface AlertPolicySettings {
  /** A window is at high risk when probability > threshold, 0 to 1. Default: the model package's. */
  readonly threshold?: number
  /** An alert ends at a window with probability <= this. Default: the threshold. Needs a threshold of the project's own. */
  readonly clearThreshold?: number
  /** Severities graver than `warning`, each with thresholds of its own, above those of the one before. Default none. */
  readonly severities?: {
    readonly [S in Exclude<AlertSeverity, 'warning'>]?: {
      readonly threshold: number
      readonly clearThreshold?: number
    }
  }
  /** Raise when `high` of the last `of` windows were at high risk, the newest among them. Default 1 of 1. */
  readonly windows?: { readonly high: number; readonly of: number }
  /** An alert keeps a severity for at least that long, by the ends of windows. Default none. */
  readonly minimumDuration?: Duration
  /** An alert ends when no window at high risk came for that long. Default, and `null`: it does not. */
  readonly clearAfter?: Duration | null
}

/** Types of `device-events` between which a device raises no alert. */
export interface MuteSettings {
  readonly begin: string
  readonly end: string
  /** How long it lasts where no end is heard of; `null`: until one is. */
  readonly atMost?: Duration | null
  /** How long it lasts beyond its end. Default none. */
  readonly settle?: Duration
}

export interface AlertSettings extends AlertPolicySettings {
  /** Most reasons listed with an alert. Default 5. */
  readonly whyMax?: number
  /** Policies of device types and devices: the first that has a pattern of the device's id. What it does not say is the plant's. */
  readonly devices?: readonly (AlertPolicySettings & {
    /** Ids; `*` stands for any text, also none. */
    readonly match: string | readonly string[]
  })[]
  /** People work on the machine. `atMost` is 24 h by default. */
  readonly maintenance?: MuteSettings
  /** The machine stands, mostly with its line. `atMost` is none by default. */
  readonly stops?: MuteSettings
}
