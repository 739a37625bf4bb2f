import { expect, test } from 'vitest'
import { malformations } from './malformed.ts'

const good =
  '{"deviceId":"machine-07","timestamp":1766000000000,"temperature":61.20,"vibration":2.310,"pressure":4.020}'

/** A second, plain opinion on why a line is refused: JSON.parse and the rules of the topics, in their order. */
function reasonOf(line: string): string {
  let text: string
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(line, (c) => c.charCodeAt(0)))
  } catch {
    return 'not-utf8'
  }
  try {
    value = JSON.parse(text)
  } catch {
    return 'not-json'
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not-an-object'
  const { deviceId, timestamp, ...channels } = value as Record<string, unknown>
  if (deviceId === undefined) return 'device-id-missing'
  if (deviceId === '') return 'device-id-empty'
  if (typeof timestamp !== 'number') return 'timestamp-not-a-time'
  if (timestamp < 1e11) return 'timestamp-looks-like-seconds'
  if (Object.keys(channels).length === 0) return 'no-channel'
  for (const channel of Object.values(channels)) {
    if (typeof channel !== 'number') return 'channel-not-a-number'
    if (!Number.isFinite(channel)) return 'channel-not-finite'
  }
  return 'good'
}

test('malformations spoil a good line for the reason they name', () => {
  expect(reasonOf(good)).toBe('good')
  for (const { reason, spoil } of malformations) expect(reasonOf(spoil(good)), spoil(good)).toBe(reason)
})

test('malformations stay one line and grow by three bytes at most', () => {
  for (const { spoil } of malformations) {
    expect(spoil(good)).not.toContain('\n')
    expect(spoil(good).length).toBeLessThanOrEqual(good.length + 3)
  }
})
