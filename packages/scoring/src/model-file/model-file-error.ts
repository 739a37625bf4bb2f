import { MillwrightError } from '@millwright/core'

/** Why a model file was refused. Permanent; each is explained in `docs/formats/model-package.md`. */
export type ModelFileReason =
  // What it is instead of an XGBoost model.
  | 'empty'
  | 'too-large'
  | 'gzip'
  | 'zip'
  | 'pickle'
  | 'onnx'
  | 'markup'
  | 'lightgbm'
  | 'catboost'
  | 'xgboost-old-binary'
  | 'xgboost-text-dump'
  | 'model-package'
  | 'not-a-model-file'
  | 'not-xgboost'
  | 'version-unsupported'
  // Syntax.
  | 'truncated'
  | 'malformed'
  | 'not-utf8'
  | 'too-deep'
  | 'string-too-long'
  | 'length-beyond-file'
  | 'trailing-bytes'
  // Content.
  | 'field-missing'
  | 'field-twice'
  | 'wrong-type'
  | 'number-out-of-range'
  | 'count-differs'
  | 'too-many'
  | 'booster-unsupported'
  | 'objective-unsupported'
  | 'base-score-invalid'
  | 'child-out-of-range'
  | 'child-missing'
  | 'child-shared'
  | 'child-order'
  | 'tree-too-deep'
  | 'feature-out-of-range'
  | 'group-out-of-range'
  | 'threshold-not-a-number'
  | 'leaf-not-finite'
  | 'category-invalid'

/** A file that was to be a model is not one that can be read. Says what is wrong and where. */
export class ModelFileError extends MillwrightError {
  readonly code = 'MODEL_FILE'
  readonly retry = 'never'
  readonly reason: ModelFileReason

  /**
   * @param problem What was found and what is wanted.
   * @param where Path of the field, for example `learner.gradient_booster.model.trees[3].left_children`; '' for the whole.
   * @param offsetBytes Place in the file; `null` where the mistake has no single place.
   */
  constructor(reason: ModelFileReason, problem: string, where = '', offsetBytes: number | null = null) {
    const place = [where, offsetBytes === null ? '' : `byte ${offsetBytes}`].filter((part) => part !== '').join(', ')
    super(`Cannot read the model${place === '' ? '' : ` at ${place}`}: ${problem}`, {
      details: { reason, where, offsetBytes },
    })
    this.reason = reason
  }
}
