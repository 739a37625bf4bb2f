import { type ErrorDetails, MillwrightError } from '@millwright/core'

/** Why a model package was refused. Permanent; `docs/formats/model-package.md` explains each. */
export const modelPackageReasons = [
  // The file.
  'too-large',
  'not-a-package',
  'version-unsupported',
  'flags-unknown',
  'truncated',
  'trailing-bytes',
  'manifest-too-large',
  'digest-differs',
  'model-hash-differs',
  // The manifest.
  'manifest-not-utf8',
  'manifest-not-json',
  'manifest-field',
  'feature-twice',
  'threshold-out-of-range',
  'golden-rows-count',
  'baseline-differs',
  // Against the plan.
  'plan-without-model',
  'name-differs',
  'signature-missing',
  'signer-unknown',
  'signature-invalid',
  'feature-count-differs',
  'feature-names-differ',
  'feature-order-differs',
  'feature-units-differ',
  // The model inside.
  'model-unreadable',
  'model-feature-count-differs',
  'model-feature-names-differ',
  'objective-differs',
  'not-a-probability',
  'golden-rows-differ',
] as const

export type ModelPackageReason = (typeof modelPackageReasons)[number]

/** A model package is refused, whole; what was in force before stays in force. */
export class ModelPackageError extends MillwrightError {
  readonly code = 'MODEL_PACKAGE'
  readonly retry = 'never'
  readonly reason: ModelPackageReason

  /** @param problem What was found and what is wanted. */
  constructor(reason: ModelPackageReason, problem: string, details: ErrorDetails = {}, cause?: unknown) {
    super(`Refused the model package (${reason}): ${problem}`, { details: { reason, ...details }, cause })
    this.reason = reason
  }
}
