import type { PredictionTransform } from '../xgboost/objective.ts'
import { exp32 } from './float32-math.ts'

const { fround } = Math

/** exp overflows float32 from 88.73 on. */
const sigmoidArgumentMax = fround(88.7)

/** Returns the probability of a margin. Source: dmlc/xgboost `src/common/math.h`, Sigmoid, whose 1e-16 is lost in 1 + x. */
export function sigmoid32(margin: number): number {
  const negated = -margin
  return fround(1 / fround(exp32(negated < sigmoidArgumentMax ? negated : sigmoidArgumentMax) + 1))
}

/** Predictions of a row: as many as margins, but for `class`, which is one. */
export function predictionsPerRow(transform: PredictionTransform, groupCount: number): number {
  return transform === 'class' ? 1 : groupCount
}

/**
 * Turns margins into predictions, with XGBoost's operations in its order.
 *
 * @param values `rowCount` rows of `groupCount` margins; becomes the predictions, row after row from the start.
 */
export function transformMargins(
  transform: PredictionTransform,
  values: Float32Array,
  rowCount: number,
  groupCount: number,
): void {
  const valueCount = rowCount * groupCount
  switch (transform) {
    case 'identity':
      return
    case 'sigmoid':
      for (let i = 0; i < valueCount; i++) values[i] = sigmoid32(values[i] as number)
      return
    case 'exp':
      for (let i = 0; i < valueCount; i++) values[i] = exp32(values[i] as number)
      return
    case 'hinge':
      for (let i = 0; i < valueCount; i++) values[i] = (values[i] as number) > 0 ? 1 : 0
      return
    case 'softmax':
      for (let row = 0; row < rowCount; row++) softmax(values, row * groupCount, groupCount)
      return
    case 'class':
      for (let row = 0; row < rowCount; row++) values[row] = indexOfGreatest(values, row * groupCount, groupCount)
      return
    default:
      transform satisfies never
  }
}

/** Source: dmlc/xgboost `src/common/math.h`, Softmax: the sum is float64 and is rounded before the divisions. */
function softmax(values: Float32Array, start: number, count: number): void {
  let greatest = values[start] as number
  for (let i = start + 1; i < start + count; i++) greatest = Math.max(greatest, values[i] as number)
  let sum = 0
  for (let i = start; i < start + count; i++) {
    const power = exp32(fround((values[i] as number) - greatest))
    values[i] = power
    sum += power
  }
  const divisor = fround(sum)
  for (let i = start; i < start + count; i++) values[i] = (values[i] as number) / divisor
}

/** The first of equals. Source: dmlc/xgboost `src/common/math.h`, FindMaxIndex. */
function indexOfGreatest(values: Float32Array, start: number, count: number): number {
  let best = start
  for (let i = start + 1; i < start + count; i++) if ((values[i] as number) > (values[best] as number)) best = i
  return best - start
}
