import {
  deadLetterLine,
  type FeedbackBatch,
  type FeedbackLine,
  limits,
  readMaintenanceFeedback,
  refusedBytes,
} from '@millwright/core'
import type { RefusedLine } from './admission.ts'
import { feedbackAhead } from './verdict-times.ts'

/** Verdicts of one delivery, and what their sender is told. */
export interface FeedbackAdmission extends FeedbackBatch {
  /** The first `refusalsReportedMax` of what was refused. */
  readonly refusals: readonly RefusedLine[]
}

const newline = 10

/**
 * Reads newline-separated verdicts; a final newline is optional, blank lines are none. What is refused becomes a dead letter with
 * its bytes. Nothing is lost without an answer: each line but blank ones is in one of the two lists.
 *
 * @param untilMs Latest time that a verdict may speak of, epoch milliseconds.
 * @param firstLine Number of the first line, for the refusals: a file may come in several pieces.
 */
export function admitFeedback(bytes: Uint8Array, untilMs: number, firstLine = 1): FeedbackAdmission {
  const accepted: FeedbackLine[] = []
  const refused: FeedbackLine[] = []
  const refusals: RefusedLine[] = []
  for (let start = 0, line = firstLine; start < bytes.length; line++) {
    const found = bytes.indexOf(newline, start)
    const end = found < 0 ? bytes.length : found
    const record = bytes.subarray(start, end)
    start = end + 1
    const read = readLine(record, untilMs)
    if (read.kind === 'blank') continue
    if (read.kind === 'feedback') {
      accepted.push({ deviceId: read.deviceId, line: read.line })
      continue
    }
    const { reason, message, deviceId } = read
    const letter = {
      reason,
      message,
      deviceId,
      topic: 'maintenance-feedback',
      record: refusedBytes(record, 0, record.length),
    } as const
    refused.push({ deviceId, line: deadLetterLine(letter) })
    if (refusals.length < limits.refusalsReportedMax) refusals.push({ line, reason, message })
  }
  return { accepted, refused, refusals }
}

type ReadLine =
  | { readonly kind: 'blank' }
  | { readonly kind: 'feedback'; readonly deviceId: string; readonly line: string }
  | (Pick<RefusedLine, 'reason' | 'message'> & { readonly kind: 'refused'; readonly deviceId: string | null })

function readLine(record: Uint8Array, untilMs: number): ReadLine {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(record).trim()
  } catch {
    const message = 'the record: found bytes that are not UTF-8, wanted UTF-8'
    return { kind: 'refused', reason: 'not-utf8', message, deviceId: null }
  }
  if (text === '') return { kind: 'blank' }
  const result = readMaintenanceFeedback(text)
  if (result.kind === 'refused') return { ...result, deviceId: null }
  const ahead = feedbackAhead(result.feedback, untilMs)
  if (ahead !== null) return { kind: 'refused', ...ahead, deviceId: null }
  // As it came, whatever else it holds: notes are for people.
  return { kind: 'feedback', deviceId: result.feedback.deviceId, line: text }
}
