import { log32 } from '../evaluate/float32-math.ts'
import { JsonReader } from '../model-file/json-reader.ts'
import { ModelFileError } from '../model-file/model-file-error.ts'
import type { BaseScoreLink } from './objective.ts'

const { fround } = Math

/** XGBoost 3.2 keeps a probability this far from 0 and 1 before it takes its logit. */
const probabilityMargin = fround(1e-6)

/**
 * Reads `base_score`, which is text: one number, or from 3.1 on an array of them, one per output.
 *
 * @throws {ModelFileError}
 */
export function parseBaseScore(text: string, outputCount: number, where: string): Float32Array {
  const trimmed = text.trim()
  const array = /^[[(]/.test(trimmed) ? `[${trimmed.slice(1, -1)}]` : `[${trimmed}]`
  let scores: Float32Array
  try {
    scores = new JsonReader(Uint8Array.from(array, (character) => character.charCodeAt(0))).float32s(outputCount)
  } catch (error) {
    throw new ModelFileError(
      'base-score-invalid',
      `found "${text.slice(0, 40)}", wanted 1 or ${outputCount} numbers (${(error as ModelFileError).details['reason']})`,
      where,
    )
  }
  if (scores.length !== 1 && scores.length !== outputCount)
    throw new ModelFileError('base-score-invalid', `${scores.length} numbers, wanted 1 or ${outputCount}`, where)
  return scores
}

/**
 * Returns the margin that a base score stands for. Source: dmlc/xgboost 3.2 `src/objective/regression_loss.h`, ProbToMargin;
 * `src/common/math.h`, Logit.
 */
export function linkBaseScore(score: number, link: BaseScoreLink): number {
  if (link === 'log') return log32(score)
  if (link === 'identity') return score
  const bounded = Math.min(Math.max(score, probabilityMargin), fround(1 - probabilityMargin))
  return -log32(fround(fround(1 / bounded) - 1))
}
