import type { AlertSeverity, CaseChange } from '@millwright/core'
import type { Duration } from './duration.ts'

/** What every channel of notifications may say. `docs/guide/notifications.md` explains each. */
interface ChannelSettingBase {
  /** Lower-case words joined by `-`; unique. It names the channel's saved position: another name is a new channel. */
  readonly name: string
  /** Default: `opened`, `raised-again`, `escalated`, `cleared`, `resolved`, `reopened`. */
  readonly on?: readonly CaseChange[]
  /** Default `warning`: all. */
  readonly minSeverity?: AlertSeverity
  /** Device ids, `*` for any characters. Default: all. */
  readonly devices?: readonly string[]
  /** Windows older than this when they raised a case are history, and are not told. Default 24 h. */
  readonly maxAge?: Duration
  /** Where a new channel begins: with what comes (default), the oldest record, or an ISO 8601 time with a zone. */
  readonly since?: 'now' | 'beginning' | (string & {})
  /** PEM of the authorities to trust, relative to the project. Default: those that Node trusts. */
  readonly ca?: string
  /** Lets what is not encrypted leave this machine. */
  readonly insecure?: boolean
}

/** Where a secret is found at the start: a variable of the environment, or the first line of a file relative to the project. */
type Password = { readonly passwordEnv: string } | { readonly passwordFile: string }

type Login = (Password & { readonly user: string }) | { readonly user?: undefined }

export type WebhookSetting = ChannelSettingBase & {
  readonly kind: 'webhook'
  readonly url: string
} & ({ readonly secretEnv: string } | { readonly secretFile: string })

export type EmailSetting = ChannelSettingBase &
  Login & {
    readonly kind: 'email'
    readonly host: string
    /** Default: 587, with `tls` 465. */
    readonly port?: number
    /** Default `starttls`. */
    readonly security?: 'tls' | 'starttls' | 'none'
    readonly from: string
    readonly to: readonly string[]
    /** After a mail, what comes in this time is one mail together. Default 1 min. */
    readonly atMostEvery?: Duration
  }

export type MqttSetting = ChannelSettingBase &
  Login & {
    readonly kind: 'mqtt'
    /** `mqtts://HOST:8883` */
    readonly url: string
    /** Default `millwright/{plant}/cases/{device}`. */
    readonly topic?: string
    /** Default `3.1.1`, which every broker knows. */
    readonly protocol?: '3.1.1' | '5'
  }

export type KafkaSetting = ChannelSettingBase &
  Login & {
    readonly kind: 'kafka'
    /** `HOST:PORT` of some brokers. */
    readonly servers: readonly string[]
    readonly topic: string
    /** Default: with `ca`. */
    readonly tls?: boolean
    /** Default `SCRAM-SHA-512`. */
    readonly mechanism?: 'SCRAM-SHA-512' | 'SCRAM-SHA-256' | 'PLAIN'
  }

/** The login is that of HTTP's basic authentication, the same at each member. */
export type AlertmanagerSetting = Omit<ChannelSettingBase, 'on'> &
  Login & {
    readonly kind: 'alertmanager'
    /** Base addresses, all members of the cluster: `http://127.0.0.1:9093`. */
    readonly urls: readonly string[]
    /** How often what stands is told again; it must be well under Alertmanager's `resolve_timeout`. Default 1 min. */
    readonly repeatEvery?: Duration
  }

export type NotifySetting = WebhookSetting | EmailSetting | MqttSetting | KafkaSetting | AlertmanagerSetting
