import { statSync } from 'node:fs'
import type { FeedbackPort, Plan } from '@millwright/core'
import { admitFeedback, type RefusedLine } from '@millwright/gateways'
import { readFeedback } from '@millwright/gateways/files'
import { verdictsUntilMs } from '../plant/verdicts-until.ts'

/** What became of files of verdicts. */
export interface FeedbackResult {
  readonly accepted: number
  readonly refused: number
  /** The first hundred. */
  readonly refusals: readonly (RefusedLine & { readonly file: string })[]
}

/** As many refusals as a person reads. */
const refusalsShownMax = 100

/**
 * Reads files of verdicts, one after the other, and returns when every one is on stable storage. A file may be read again: what was
 * there is known by its id and revision.
 *
 * @throws What reading or appending throws; what was acknowledged stays.
 */
export async function ingestFeedback(options: {
  readonly plan: Pick<Plan, 'time'>
  readonly feedback: FeedbackPort
  readonly files: readonly string[]
  readonly onProgress: (readBytes: number, lines: number) => void
}): Promise<FeedbackResult> {
  const { plan, feedback, files } = options
  let accepted = 0
  let refused = 0
  let doneBytes = 0
  const refusals: (RefusedLine & { file: string })[] = []
  for (const file of files) {
    const onProgress = (readBytes: number): void => options.onProgress(doneBytes + readBytes, accepted + refused)
    for await (const { bytes, firstLine } of readFeedback(file, onProgress)) {
      const admission = admitFeedback(bytes, verdictsUntilMs(plan), firstLine)
      if (admission.accepted.length + admission.refused.length === 0) continue
      await feedback.appendFeedback(admission)
      accepted += admission.accepted.length
      refused += admission.refused.length
      for (const refusal of admission.refusals)
        if (refusals.length < refusalsShownMax) refusals.push({ ...refusal, file })
    }
    doneBytes += statSync(file).size
  }
  return { accepted, refused, refusals }
}
