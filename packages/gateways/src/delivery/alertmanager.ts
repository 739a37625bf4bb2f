import { type AlertmanagerChannel, limits } from '@millwright/core'
import type { DeliveryPort } from './delivery-port.ts'
import { DeliveryFailedError, DeliveryRefusedError } from './errors.ts'
import type { Notification } from './notification.ts'
import { summaryOf, whyText } from './notification-text.ts'
import { postJson } from './post-json.ts'

/** An alert as Alertmanager takes it. Source: prometheus/alertmanager `api/v2/openapi.yaml`, postableAlert. */
interface Alert {
  /** What it is known by: of two with the same labels the later replaces the earlier. */
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** ISO 8601. */
  readonly startsAt: string
}

/** What stands at the peer, by case: what the port keeps. */
type Standing = readonly (readonly [caseId: string, alert: Alert])[]

/** Of `repeatEvery`: an alert that is not told again ends after so many. Three repetitions may fail before. */
const lifetimeRepeats = 4

/**
 * Keeps what stands at an Alertmanager the same as what alerts here.
 *
 * A1. A case whose alert stands is one alert there, told again each `repeatEvery` with an end four of them ahead: should the plant die,
 *     Alertmanager drops it, as it does with those of a Prometheus that died; started again, the plant tells it again at once.
 * A2. When the alert clears, or its case is resolved, its end is told. A severity that changes ends one alert and begins another,
 *     since labels are what Alertmanager knows an alert by.
 * A3. What stands is saved with the position: after a crash nothing stays standing that was cleared meanwhile.
 * A4. Each member of a cluster is told; one that takes it is enough, since they tell each other.
 * A5. What stood of a device that is not the channel's any more is not told again, and so ends there: no change of it comes to end it.
 */
export function openAlertmanager(
  channel: Pick<AlertmanagerChannel, 'urls' | 'login' | 'repeatEveryMs'>,
  use: {
    readonly plant: string
    /** Of the login's user; not used where there is none. */
    readonly password: string
    readonly ca: string | null
    readonly nowMs: () => number
    readonly kept: unknown
    /** Whether a case that alerts is for this channel, and no history. */
    readonly mayStand: (notification: Notification) => boolean
    /** Whether a device is one of this channel's. */
    readonly isDevice: (deviceId: string) => boolean
  },
): DeliveryPort {
  const { plant, password, ca, nowMs, mayStand, isDevice } = use
  const headers = channel.login === null ? {} : { authorization: basicCredentials(channel.login.user, password) }
  const kept = Array.isArray(use.kept) ? (use.kept as Standing) : []
  let standing = new Map(kept.filter(([, { labels }]) => isDevice(labels['device'] ?? '')))

  async function post(alerts: readonly (Alert & { readonly endsAt: string })[], signal: AbortSignal): Promise<void> {
    const body = JSON.stringify(alerts)
    const sent = channel.urls.map((base) => {
      const url = `${base.replace(/\/+$/, '')}/api/v2/alerts`
      return postJson({ url, body, headers, ca, signal })
    })
    const outcomes = await Promise.allSettled(sent)
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []))
    // Of members that answer differently, one that may yet take it decides.
    if (failures.length === outcomes.length)
      throw failures.find((failure) => failure instanceof DeliveryFailedError) ?? failures[0]
  }

  const livesOn = (alert: Alert): Alert & { readonly endsAt: string } => ({
    ...alert,
    endsAt: timeText(nowMs() + lifetimeRepeats * channel.repeatEveryMs),
  })

  return {
    batchMax: 1,
    paceMs: 0,
    tellsState: true,
    target: channel.urls.map((url) => new URL(url).origin).join(', '),
    async send(batch, signal) {
      for (const notification of batch) {
        const next = new Map(standing)
        const before = next.get(notification.caseId)
        const stands = notification.alerting && notification.status !== 'resolved' && mayStand(notification)
        const now = stands ? alertOf(plant, notification, before) : null
        const ended = before !== undefined && before.labels['severity'] !== now?.labels['severity'] ? before : null
        next.delete(notification.caseId)
        if (now !== null) next.set(notification.caseId, now)
        if (next.size > limits.standingAlertsMax)
          // Trying again would keep those from ending that wait behind it.
          throw new DeliveryRefusedError(`${limits.standingAlertsMax} alerts stand there already`)
        const alerts = [
          ...(ended === null ? [] : [{ ...ended, endsAt: laterOf(ended.startsAt, timeText(notification.at)) }]),
          ...(now === null ? [] : [livesOn(now)]),
        ]
        if (alerts.length > 0) await post(alerts, signal)
        standing = next
      }
    },
    repeat: {
      everyMs: channel.repeatEveryMs,
      async run(signal) {
        if (standing.size > 0) await post([...standing.values()].map(livesOn), signal)
      },
    },
    state: (): Standing => [...standing],
    close: async () => undefined,
  }
}

function alertOf(plant: string, notification: Notification, before: Alert | undefined): Alert {
  const { deviceId, severity, caseId, at } = notification
  const sameSeverity = before?.labels['severity'] === severity
  return {
    labels: { alertname: 'MachineAtRisk', plant, device: deviceId, severity, caseId },
    annotations: { summary: summaryOf(notification), description: whyText(notification) },
    startsAt: sameSeverity ? before.startsAt : timeText(at),
  }
}

/** Of UTF-8, as those who name a charset name it. Source: RFC 7617, section 2. */
function basicCredentials(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

/** Of two ISO 8601 times of one form. */
function laterOf(a: string, b: string): string {
  return a > b ? a : b
}
