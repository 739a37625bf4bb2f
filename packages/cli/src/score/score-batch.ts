import { float32ToJson } from '@millwright/core'
import type { CompiledModel } from '@millwright/scoring'
import type { RowBatch } from './read-rows.ts'

/** What is printed of each row. */
export type ScoreOutput = 'prediction' | 'margin' | 'contributions'

/**
 * Scores a batch and prints one line a row: a number where the model has one output, else an array; contributions as an array
 * of the features' and last the bias, and where there are several outputs an array of those. float32 throughout, as the shortest
 * decimal that reads back the same; what is not finite (exp of a huge margin) as `null`.
 */
export function scoreBatch(scorer: CompiledModel, batch: RowBatch, output: ScoreOutput): string {
  const { values, rowCount } = batch
  const { featureCount, groupCount, predictionCount } = scorer
  if (output === 'contributions') {
    let text = ''
    for (let row = 0; row < rowCount; row++) {
      const found = scorer.contributions(values.subarray(row * featureCount, (row + 1) * featureCount))
      const groups = Array.from({ length: groupCount }, (_, group) =>
        arrayJson(found, group * (featureCount + 1), featureCount + 1),
      )
      text += `${groupCount === 1 ? groups[0] : `[${groups.join()}]`}\n`
    }
    return text
  }
  const width = output === 'margin' ? groupCount : predictionCount
  const out = new Float32Array(rowCount * width)
  if (output === 'margin') scorer.margins(values, rowCount, out)
  else scorer.predict(values, rowCount, out)
  let text = ''
  for (let row = 0; row < rowCount; row++)
    text += `${width === 1 ? float32ToJson(out[row] as number) : arrayJson(out, row * width, width)}\n`
  return text
}

function arrayJson(values: Float32Array, start: number, count: number): string {
  return `[${Array.from(values.subarray(start, start + count), float32ToJson).join()}]`
}
