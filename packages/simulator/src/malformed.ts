import type { DeadLetterReason } from '@millwright/core'

/** One way in which a line arrives broken, and the reason with which a plant has to refuse it. */
export interface Malformation {
  readonly reason: DeadLetterReason
  /** What becomes of a good line (without its newline). Each character is one byte. */
  readonly spoil: (line: string) => string
}

/** Each is as likely as every other. */
export const malformations: readonly Malformation[] = [
  { reason: 'not-json', spoil: (line) => line.slice(0, line.length >> 1) },
  { reason: 'not-json', spoil: () => 'ERR 0x1F sensor bus timeout' },
  { reason: 'not-json', spoil: (line) => line.replace(/"vibration":[^,]+/, '"vibration":NaN') },
  { reason: 'not-utf8', spoil: (line) => line.replace('"deviceId":"', '"deviceId":"\xc3\x28') },
  { reason: 'not-an-object', spoil: (line) => `[${line}]` },
  { reason: 'device-id-missing', spoil: (line) => line.replace(/"deviceId":"[^"]+",/, '') },
  { reason: 'device-id-empty', spoil: (line) => line.replace(/"deviceId":"[^"]+"/, '"deviceId":""') },
  { reason: 'timestamp-not-a-time', spoil: (line) => line.replace(/"timestamp":\d+/, '"timestamp":"yesterday"') },
  { reason: 'timestamp-looks-like-seconds', spoil: (line) => line.replace(/("timestamp":\d+)\d{3}/, '$1') },
  { reason: 'channel-not-a-number', spoil: (line) => line.replace(/"temperature":([^,]+)/, '"temperature":"$1"') },
  { reason: 'channel-not-finite', spoil: (line) => line.replace(/"pressure":[^}]+/, '"pressure":1e999') },
  { reason: 'no-channel', spoil: (line) => line.replace(/,"temperature".*/, '}') },
]
