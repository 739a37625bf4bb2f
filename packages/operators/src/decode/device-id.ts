import { assert, limits, utf8ByteLength } from '@millwright/core'
import { describe, type Refused, refused } from './refused.ts'

const field = 'deviceId'
const wanted = `text of 1 to ${limits.deviceIdBytesMax} bytes without control characters`

/** C0, DEL and C1. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/

/**
 * Returns why a value cannot be the id of a device, or `null` when it can: text of 1 to `deviceIdBytesMax` UTF-8 bytes without control
 * characters. The reason for half of a surrogate pair, which only an escape can write, is `not-utf8`: no UTF-8 encodes it.
 *
 * @param value As JSON has it; `undefined` where there is none.
 */
export function deviceIdProblem(value: unknown): Refused | null {
  if (value === undefined || value === null)
    return refused('device-id-missing', { field, found: describe(value), wanted })
  if (typeof value !== 'string') return refused('device-id-not-a-string', { field, found: describe(value), wanted })
  if (value === '') return refused('device-id-empty', { field, found: 'empty text', wanted })
  if (!value.isWellFormed())
    return refused('not-utf8', { field, found: `${describe(value)} with half of a surrogate pair`, wanted })
  const byteLength = utf8ByteLength(value)
  if (byteLength > limits.deviceIdBytesMax)
    return refused('device-id-too-long', { field, found: `${describe(value)} of ${byteLength} bytes`, wanted })
  if (controlCharacter.test(value))
    return refused('device-id-control-character', { field, found: describe(value), wanted })
  return null
}

/** @throws {InvariantError} When a line with this id would have been refused. */
export function assertDeviceId(id: string): void {
  const problem = deviceIdProblem(id)
  assert(problem === null, problem?.message ?? '')
}

/** The refusal of a record whose device a host has no room for: each part of the devices has its share of them. */
export function devicesShareRefusal(deviceId: string, devicesMax: number): Refused {
  const found = `${describe(deviceId)}, one more than its share of the ${devicesMax} devices there may be`
  return refused('devices-max', { field, found, wanted: 'one of the devices known' }, deviceId)
}

/** The refusal of a reading that is in order but for coming from a device too many. */
export function devicesMaxRefusal(deviceId: string, devicesMax: number): Refused {
  const found = `${describe(deviceId)}, one more than the ${devicesMax} devices there may be`
  return refused('devices-max', { field, found, wanted: 'one of the devices known' }, deviceId)
}
