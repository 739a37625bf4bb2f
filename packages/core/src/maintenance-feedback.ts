import { found, isName, isRecord, isTime } from './document-checks.ts'
import * as limits from './limits.ts'
import { type FeedbackProblem, type MaintenanceFeedback, type ModelName, verdictKinds } from './records.ts'
import { utf8ByteLength } from './text.ts'

export type FeedbackResult =
  | { readonly kind: 'feedback'; readonly feedback: MaintenanceFeedback }
  | { readonly kind: 'refused'; readonly reason: FeedbackProblem; readonly message: string }

/**
 * Reads one record. Unknown fields (a note, who it was, what was found) are for people and passed over.
 *
 * Never throws: what is wrong comes back as a permanent code and a message that names the field, what was found and what
 * is wanted. The first thing that is wrong is named.
 *
 * @param text One JSON document, at most `feedbackBytesMax` in UTF-8.
 */
export function readMaintenanceFeedback(text: string): FeedbackResult {
  if (utf8ByteLength(text) > limits.feedbackBytesMax)
    return refused('feedback-too-long', `the record: wanted at most ${limits.feedbackBytesMax} bytes`)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    // The engine's own words differ between versions; the result must not.
    return refused('feedback-not-json', 'the record: wanted JSON')
  }
  return checkMaintenanceFeedback(parsed)
}

/** Like {@link readMaintenanceFeedback}, of a document that was parsed already. */
export function checkMaintenanceFeedback(document: unknown): FeedbackResult {
  if (!isRecord(document)) return refused('feedback-not-an-object', `the record: ${found(document)}, wanted an object`)
  const get = (field: string): unknown => (Object.hasOwn(document, field) ? document[field] : undefined)
  const wrong = (reason: FeedbackProblem, field: string, wanted: string): FeedbackResult =>
    refused(reason, `${field}: ${found(get(field))}, wanted ${wanted}`)

  const id = get('id')
  if (!isName(id, limits.verdictIdBytesMax))
    return wrong('feedback-id', 'id', `1 to ${limits.verdictIdBytesMax} bytes without control characters`)
  const revision = get('revision')
  if (typeof revision !== 'number' || !Number.isSafeInteger(revision) || revision < 0)
    return wrong('feedback-revision', 'revision', 'a whole number from 0')
  const deviceId = get('deviceId')
  if (!isName(deviceId, limits.deviceIdBytesMax))
    return wrong('feedback-device-id', 'deviceId', `1 to ${limits.deviceIdBytesMax} bytes without control characters`)
  const verdict = verdictKinds.find((kind) => kind === get('verdict'))
  if (verdict === undefined) return wrong('feedback-verdict', 'verdict', verdictKinds.join(', '))
  for (const field of ['from', 'to', 'recordedAt'])
    if (!isTime(get(field))) return wrong('feedback-time', field, 'epoch milliseconds in 1970 to 2200')
  const [from, to, recordedAt] = [get('from'), get('to'), get('recordedAt')] as [number, number, number]
  if (to <= from) return wrong('feedback-span', 'to', `a time after "from" (${from})`)
  if (recordedAt < from) return wrong('feedback-span', 'recordedAt', `a time not before "from" (${from})`)
  const failureAt = get('failureAt') ?? null
  if (failureAt !== null) {
    if (verdict !== 'failure-confirmed' && verdict !== 'missed-failure')
      return wrong('feedback-failure-at', 'failureAt', `nothing where the verdict is ${verdict}`)
    if (!isTime(failureAt) || failureAt <= from)
      return wrong('feedback-failure-at', 'failureAt', `a time after "from" (${from})`)
  }
  const model = modelOf(get('model') ?? null)
  if (model === undefined) return wrong('feedback-model', 'model', 'an object with a name and a version')
  return {
    kind: 'feedback',
    feedback: {
      id,
      revision,
      deviceId,
      verdict,
      from,
      to,
      failureAt: failureAt as number | null,
      recordedAt,
      model,
    },
  }
}

function modelOf(value: unknown): ModelName | null | undefined {
  if (value === null) return null
  if (!isRecord(value)) return undefined
  const { name, version } = value
  if (!isName(name, limits.modelNameBytesMax) || !isName(version, limits.modelNameBytesMax)) return undefined
  return { name, version }
}

function refused(reason: FeedbackProblem, message: string): FeedbackResult {
  return { kind: 'refused', reason, message }
}
