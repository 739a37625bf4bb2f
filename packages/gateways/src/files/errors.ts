import { ConfigurationError, MillwrightError } from '@millwright/core'

/** A file ends early or holds what its format does not allow. What came before the place was delivered. */
export class InputDamagedError extends MillwrightError {
  readonly code = 'INPUT_DAMAGED'
  readonly retry = 'never'

  /** @param positionBytes Place in the file as it is on disk: for a compressed file, compressed bytes. */
  constructor(path: string, positionBytes: number, what: string, cause?: unknown) {
    super(`Cannot read "${path}" past byte ${positionBytes}: ${what}`, { details: { path, positionBytes }, cause })
  }
}

/** A file is shorter than the place up to which it had been read: it was replaced or cut. */
export class InputShrankError extends MillwrightError {
  readonly code = 'INPUT_SHRANK'
  readonly retry = 'never'

  constructor(path: string, foundBytes: number, wantedBytes: number) {
    super(`Cannot go on reading "${path}" at byte ${wantedBytes}: it now holds only ${foundBytes}`, {
      details: { path, foundBytes, wantedBytes },
    })
  }
}

/** Names a file that cannot be opened as what it is: a wrong argument of the user. */
export function inputNotReadable(path: string, cause: unknown): ConfigurationError {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : String(cause)
  const found = code === 'ENOENT' ? `${path}, which does not exist` : `${path} (${code})`
  return new ConfigurationError(
    'An input cannot be read.',
    [{ field: 'input', found, wanted: 'a file that may be read' }],
    cause,
  )
}
