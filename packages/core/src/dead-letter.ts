import * as limits from './limits.ts'
import type { DeadLetterReason, FeedbackProblem } from './records.ts'
import { decodeUtf8, encodeBase64 } from './text.ts'
import type { TopicName } from './topics.ts'

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

/** Returns a message of `dead-letters` as one line of JSON; docs/formats/topics.md. */
export function deadLetterLine(letter: {
  readonly reason: DeadLetterReason | FeedbackProblem
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
