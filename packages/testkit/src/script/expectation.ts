import type { OutputTopic } from '@millwright/core'

/** A message that a script says comes out: only what it says is checked. */
export interface ExpectedOutput {
  /** Line of the script. */
  readonly line: number
  readonly topic: OutputTopic
  readonly deviceId: string | null
  /** Path of keys in the message → value wanted there; `undefined`: no such key. */
  readonly fields: ReadonlyMap<string, string | number | null | undefined>
  /** The steps that may have caused it: those since the outputs before, from `afterStep` up to (not with) `beforeStep`. */
  readonly afterStep: number
  readonly beforeStep: number
}

/** A count that a script says is reached. */
export interface ExpectedCounter {
  readonly line: number
  readonly name: string
  /** At the end of the script. */
  readonly value: number
}
