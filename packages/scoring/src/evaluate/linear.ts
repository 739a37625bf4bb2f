import type { TreeEvaluator } from '@millwright/kernels'
import type { LinearModel } from '../xgboost/model.ts'

const { fround } = Math

/**
 * Evaluates a linear model: bias plus base margin first, then each feature that is not missing, in order, in float32 and
 * without fused multiply-add. Source: dmlc/xgboost `src/gbm/gblinear.cc`, Pred.
 */
export function createLinearEvaluator(model: LinearModel): TreeEvaluator {
  const { featureCount, groupCount, weights, baseMargins } = model
  return {
    margins(rows, rowCount, out) {
      for (let row = 0; row < rowCount; row++) {
        for (let group = 0; group < groupCount; group++) {
          let sum = fround((weights[featureCount * groupCount + group] as number) + (baseMargins[group] as number))
          for (let feature = 0; feature < featureCount; feature++) {
            const value = rows[row * featureCount + feature] as number
            if (!Number.isNaN(value))
              sum = fround(sum + fround(value * (weights[feature * groupCount + group] as number)))
          }
          out[row * groupCount + group] = sum
        }
      }
    },
  }
}

/**
 * Writes the contributions of one row to `out`: for each group the features' and last the bias.
 * A missing value contributes 0. Source: dmlc/xgboost `src/gbm/gblinear.cc`, PredictContribution.
 */
export function explainLinear(model: LinearModel, row: Float32Array, out: Float32Array): void {
  const { featureCount, groupCount, weights, baseMargins } = model
  for (let group = 0; group < groupCount; group++) {
    const start = group * (featureCount + 1)
    for (let feature = 0; feature < featureCount; feature++) {
      const value = row[feature] as number
      out[start + feature] = Number.isNaN(value) ? 0 : value * (weights[feature * groupCount + group] as number)
    }
    out[start + featureCount] = (weights[featureCount * groupCount + group] as number) + (baseMargins[group] as number)
  }
}
