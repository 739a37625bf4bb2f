import {
  type AlertCleared,
  type AlertMark,
  type DevicePresence,
  float32ToJson,
  float64ToJson,
  type ModelName,
  type MuteCause,
} from '@millwright/core'

/**
 * The messages as JSON texts, key by key in the order of core's records: equal results are equal bytes
 * (docs/formats/topics.md).
 */

/** What both messages about a window begin with. */
export interface WindowIdentity {
  /** The id as a JSON string, quotes included. */
  readonly deviceIdJson: string
  readonly startMs: number
  readonly endMs: number
  readonly revision: number
}

/** Returns a printer of objects with these keys; NaN is printed as `null`. */
export function objectPrinter(keys: readonly string[]): (values: Float64Array) => string {
  const prefixes = keys.map((key, index) => `${index === 0 ? '{' : ','}${JSON.stringify(key)}:`)
  return (values) => {
    if (prefixes.length === 0) return '{}'
    let text = ''
    for (let i = 0; i < prefixes.length; i++) text += prefixes[i] + float64ToJson(values[i] as number)
    return `${text}}`
  }
}

export function deviceFeaturesLine(window: WindowIdentity, readingCount: number, featuresJson: string): string {
  return (
    `{"deviceId":${window.deviceIdJson},"windowStart":${window.startMs},"windowEnd":${window.endMs},` +
    `"revision":${window.revision},"readingCount":${readingCount},"features":${featuresJson}}`
  )
}

/**
 * @param whyJson The list of contributions; `null` where the risk is not high.
 * @param policyJson What {@link policyKeys} gave; empty where the policy has nothing to say.
 */
export function alertSignalLine(
  window: WindowIdentity,
  model: ModelName,
  probability: number,
  featuresJson: string,
  whyJson: string | null,
  policyJson: string,
): string {
  const status = whyJson === null ? 'Normal' : 'High risk of failure'
  return (
    `{"deviceId":${window.deviceIdJson},"probability":${float32ToJson(probability)},"status":"${status}",` +
    `"windowStart":${window.startMs},"windowEnd":${window.endMs},"revision":${window.revision},` +
    `"model":{"name":${JSON.stringify(model.name)},"version":${JSON.stringify(model.version)}},` +
    `"features":${featuresJson}${whyJson === null ? '' : `,"why":${whyJson}`}${policyJson}}`
  )
}

/** Prints what a policy made of a window, as the keys that follow the others. */
export function policyKeys(mark: AlertMark | null, muted: MuteCause | null): string {
  const alert = mark === null ? '' : `,"alert":${markJson(mark)}`
  return muted === null ? alert : `${alert},"muted":"${muted}"`
}

function markJson({ mark, severity, since, before, cause }: AlertMark): string {
  const change = before === undefined ? '' : `,"before":"${before}"`
  const end = cause === undefined ? '' : `,"cause":"${cause}"`
  return `{"mark":"${mark}","severity":"${severity}","since":${since}${change}${end}}`
}

/**
 * Prints the contributions that moved the margin most: by size, then by feature order.
 *
 * @param contributions One per feature, then the bias, which is no reason and is left out.
 */
export function whyJson(
  featureNames: readonly string[],
  values: Float64Array,
  contributions: Float32Array,
  countMax: number,
): string {
  const size = (index: number): number => Math.abs(contributions[index] as number)
  const order = featureNames.map((_, index) => index).sort((a, b) => size(b) - size(a) || a - b)
  const reasons = order.slice(0, countMax).map((index) => {
    const name = JSON.stringify(featureNames[index])
    const value = float64ToJson(values[index] as number)
    return `{"feature":${name},"value":${value},"contribution":${float32ToJson(contributions[index] as number)}}`
  })
  return `[${reasons.join(',')}]`
}

export function lateReadingLine(deviceId: string, timestampMs: number, clockMs: number, channelsJson: string): string {
  return (
    `{"deviceId":${JSON.stringify(deviceId)},"timestamp":${timestampMs},"deviceClock":${clockMs},` +
    `"channels":${channelsJson}}`
  )
}

export function deviceStatusLine(deviceId: string, kind: DevicePresence['kind'], atMs: number): string {
  return `{"deviceId":${JSON.stringify(deviceId)},"kind":"${kind}","at":${atMs}}`
}

export function alertClearedLine(
  deviceId: string,
  { at, cause, severity, since }: Omit<AlertCleared, 'deviceId' | 'kind'>,
): string {
  return (
    `{"deviceId":${JSON.stringify(deviceId)},"kind":"alert-cleared","at":${at},"cause":"${cause}",` +
    `"severity":"${severity}","since":${since}}`
  )
}
