import { assert, limits } from '@millwright/core'

export interface ReadingDecoderOptions {
  /**
   * Names of the declared channels, in the plan's order: at most `channelsMax`, well-formed Unicode, different from one another and from
   * `deviceId` and `timestamp`.
   */
  readonly channels: readonly string[]
  /** `event`: each reading must carry its time. `arrival`: its time is its append time, and a field named `timestamp` is ignored. */
  readonly timestamp: 'event' | 'arrival'
  /** Devices that may be known at once, 1 or more; a reading of one more is refused. */
  readonly devicesMax: number
}

/** @throws {InvariantError} When the options are not as {@link ReadingDecoderOptions} says; plans are checked before. */
export function assertDecoderOptions({ channels, devicesMax }: ReadingDecoderOptions): void {
  assert(channels.length <= limits.channelsMax, `there must be at most ${limits.channelsMax} channels`)
  assert(new Set(channels).size === channels.length, 'channel names must differ')
  for (const name of channels) {
    assert(name !== 'deviceId' && name !== 'timestamp', `a channel must not be named "${name}"`)
    assert(name.isWellFormed(), 'a channel name must be well-formed Unicode')
  }
  assert(Number.isInteger(devicesMax) && devicesMax >= 1, 'devicesMax must be 1 or more')
}
