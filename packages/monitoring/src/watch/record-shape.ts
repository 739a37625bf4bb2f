import {
  type AlertClearCause,
  type AlertMark,
  type AlertSignal,
  alertClearCauses,
  alertSeverities,
  type DeadLetter,
  type DeviceFeatures,
  type DeviceStatus,
  type LateReading,
  limits,
} from '@millwright/core'

/**
 * Whether a document has the shape of a record that operators write. On Kafka anybody may write to a topic, and a newer release may write what is not
 * known here: neither may end the watcher, nor be counted as something that it does not say.
 *
 * Looked at is what the watcher reads and no more, by comparisons alone: this is done of every record. Unknown fields are passed over.
 */

/** Whole epoch milliseconds in 1970 to 2200, as readings have it; a window may begin as much before 1970. */
const timeMsMax = 7_289_654_400_000

const markNames: readonly unknown[] = ['raising', 'holding', 'clearing'] satisfies readonly AlertMark['mark'][]
const presenceKinds: readonly unknown[] = ['device-silent', 'device-returned', 'device-forgotten']
const severities: readonly unknown[] = alertSeverities
const clearCauses: readonly unknown[] = alertClearCauses
/** A window clears an alert for each cause but this one. */
const forgotten: AlertClearCause = 'forgotten'

export function isAlertSignal(document: unknown): document is AlertSignal {
  if (!isObject(document)) return false
  const { probability, status, model, why, alert } = document
  return (
    isOfWindow(document) &&
    typeof probability === 'number' &&
    probability >= 0 &&
    probability <= 1 &&
    (status === 'Normal' || status === 'High risk of failure') &&
    isObject(model) &&
    isShortText(model['name'], limits.modelNameBytesMax) &&
    isShortText(model['version'], limits.modelNameBytesMax) &&
    (why === undefined || isWhy(why)) &&
    (alert === undefined || isMark(alert))
  )
}

export function isDeviceFeatures(document: unknown): document is DeviceFeatures {
  return isObject(document) && isOfWindow(document) && isCount(document['readingCount'])
}

export function isLateReading(document: unknown): document is LateReading {
  return (
    isObject(document) &&
    isDeviceId(document['deviceId']) &&
    isTime(document['timestamp']) &&
    isTime(document['deviceClock'])
  )
}

/** Its reason may be any text: a newer release may know more of them. */
export function isDeadLetter(document: unknown): document is DeadLetter {
  if (!isObject(document)) return false
  const { reason, topic, deviceId } = document
  return typeof reason === 'string' && typeof topic === 'string' && (deviceId === null || isDeviceId(deviceId))
}

/** Of a kind that is known here. */
export function isDeviceStatus(document: unknown): document is DeviceStatus {
  if (!isObject(document) || !isDeviceId(document['deviceId']) || !isTime(document['at'])) return false
  const { kind, cause, since } = document
  if (kind !== 'alert-cleared') return presenceKinds.includes(kind)
  return cause !== 'probability' && clearCauses.includes(cause) && isTime(since)
}

/** What records of windows have in common. */
function isOfWindow({ deviceId, windowStart, windowEnd, revision, features }: Fields): boolean {
  return (
    isDeviceId(deviceId) &&
    isTime(windowEnd) &&
    Number.isSafeInteger(windowStart) &&
    (windowStart as number) <= windowEnd &&
    (windowStart as number) >= -timeMsMax &&
    isCount(revision) &&
    isObject(features) &&
    hasNumbersAlone(features)
  )
}

function hasNumbersAlone(features: Fields): boolean {
  for (const name in features) {
    const value = features[name]
    if (typeof value !== 'number' && value !== null) return false
  }
  return true
}

function isMark(value: unknown): boolean {
  if (!isObject(value)) return false
  const { mark, severity, since, cause } = value
  return (
    markNames.includes(mark) &&
    severities.includes(severity) &&
    isTime(since) &&
    (cause === undefined || (cause !== forgotten && clearCauses.includes(cause)))
  )
}

/** A case holds it as it is, and people read it. */
function isWhy(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length <= limits.featuresMax &&
    value.every(
      (each) =>
        isObject(each) &&
        typeof each['feature'] === 'string' &&
        (typeof each['value'] === 'number' || each['value'] === null) &&
        typeof each['contribution'] === 'number',
    )
  )
}

type Fields = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isDeviceId(value: unknown): value is string {
  return isShortText(value, limits.deviceIdBytesMax)
}

/** At most so many UTF-16 units, which are never more than its bytes. */
function isShortText(value: unknown, unitsMax: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= unitsMax
}

function isTime(value: unknown): value is number {
  return isCount(value) && value <= timeMsMax
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
