import {
  type DeadLetterReason,
  type DeviceStatus,
  decodeUtf8,
  encodeBase64,
  float32ToJson,
  float64ToJson,
  limits,
  type ModelName,
  type TopicName,
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

/** @param whyJson The list of contributions; `null` where the risk is not high. */
export function alertSignalLine(
  window: WindowIdentity,
  model: ModelName,
  probability: number,
  featuresJson: string,
  whyJson: string | null,
): string {
  const status = whyJson === null ? 'Normal' : 'High risk of failure'
  return (
    `{"deviceId":${window.deviceIdJson},"probability":${float32ToJson(probability)},"status":"${status}",` +
    `"windowStart":${window.startMs},"windowEnd":${window.endMs},"revision":${window.revision},` +
    `"model":{"name":${JSON.stringify(model.name)},"version":${JSON.stringify(model.version)}},` +
    `"features":${featuresJson}${whyJson === null ? '' : `,"why":${whyJson}`}}`
  )
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

export function deviceStatusLine(deviceId: string, kind: DeviceStatus['kind'], atMs: number): string {
  return `{"deviceId":${JSON.stringify(deviceId)},"kind":"${kind}","at":${atMs}}`
}

/** A refused record's bytes, cut at `deadLetterBytesMax`, with the length they had; see `DeadLetter.byteLength`. */
export interface RefusedBytes {
  readonly kept: Uint8Array
  readonly byteLength: number
}

/** Returns a copy of a record's bytes, cut at `deadLetterBytesMax`. */
export function refusedBytes(bytes: Uint8Array, start: number, end: number): RefusedBytes {
  // A plant's door and the reader of files cut longer lines to one byte more than the limit. Here it is done where neither
  // stood in between, so that a line gives the same dead letter on every way in.
  const byteLength = Math.min(end - start, limits.lineBytesMax + 1)
  return { kept: bytes.slice(start, Math.min(end, start + limits.deadLetterBytesMax)), byteLength }
}

export function deadLetterLine(letter: {
  readonly reason: DeadLetterReason
  readonly message: string
  readonly topic: TopicName
  readonly deviceId: string | null
  readonly record: RefusedBytes
}): string {
  const { kept, byteLength } = letter.record
  const text = textOf(kept, byteLength > kept.length)
  const bytes = text === null ? `"${encodeBase64(kept)}","encoding":"base64"` : `${text},"encoding":"utf-8"`
  return (
    `{"reason":"${letter.reason}","message":${JSON.stringify(letter.message)},"topic":"${letter.topic}",` +
    `"deviceId":${JSON.stringify(letter.deviceId)},"bytes":${bytes},"byteLength":${byteLength}}`
  )
}

/**
 * Returns the bytes as a JSON string where they are UTF-8, else `null`. A character that the cut went through is left out.
 * Also `null` where escapes would more than double the length: control characters take six bytes each, and a dead letter
 * must fit one frame of the log.
 */
function textOf(kept: Uint8Array, cut: boolean): string | null {
  for (let missing = 0; missing <= (cut ? 3 : 0); missing++) {
    const text = decodeUtf8(kept, 0, kept.length - missing)
    if (text === null) continue
    const json = JSON.stringify(text)
    return json.length > 2 * kept.length + 2 ? null : json
  }
  return null
}
