import type { CaseView, Plan } from '@millwright/core'
import type { CaseChannels } from '@millwright/gateways'
import type { ReadSlowly } from './case-topics.ts'

const slicesMax = 120
const minuteMs = 60_000
/** Of the span that is shown: what led to the window that opened the case. */
const beforeMs = 30 * minuteMs
const afterMs = 10 * minuteMs

interface Slice {
  least: number
  greatest: number
  sum: number
  count: number
}

/**
 * Reads the raw channels of a case's device around the window that opened it, from the input log: half an hour before its start, ten minutes after its end. Each slice of
 * time keeps its least and greatest value, so that a spike is seen however long the span.
 */
export async function readCaseChannels(
  read: ReadSlowly,
  { channels, time }: Plan,
  { deviceId, from, openedAt, evidence }: CaseView,
): Promise<CaseChannels> {
  const fromMs = from - beforeMs
  const toMs = (evidence[0]?.windowEnd ?? from) + afterMs
  const sliceMs = Math.max(1000, Math.ceil((toMs - fromMs) / slicesMax))
  const slices = new Map(channels.map(({ name }) => [name, new Map<number, Slice>()]))
  // Decoding every machine's lines would take seconds: a line that neither has the id in it nor writes anything in escapes (as some writers do
  // with all that is not ASCII, or with a slash) is not this machine's.
  const needle = Buffer.from(JSON.stringify(deviceId))
  const backslash = 0x5c
  // A window may close long after its readings: by late ones, or by the silence of a machine that broke. But none of its readings was appended more
  // than `maxClockAhead` before its own time, and each record read in vain is taken from what a question may cost.
  const waitedMs = time.silentAfterMs + time.graceMs + time.allowedLatenessMs
  const fromTimeMs = Math.max(openedAt - (toMs - fromMs) - waitedMs, fromMs - time.maxClockAheadMs)
  const isCut = await read({ topic: 'sensor-data', deviceId, fromTimeMs }, (record) => {
    if (record.appendTimeMs > openedAt + 2 * afterMs) return 'enough'
    const line = Buffer.from(record.value.buffer, record.value.byteOffset, record.value.byteLength)
    if (!line.includes(needle) && !line.includes(backslash)) return 'go-on'
    const reading = readingOf(line)
    if (reading === null || reading['deviceId'] !== deviceId) return 'go-on'
    const stamp = reading['timestamp']
    const atMs =
      time.timestamp === 'arrival' ? record.appendTimeMs : typeof stamp === 'number' ? stamp : Date.parse(String(stamp))
    if (!(atMs >= fromMs && atMs < toMs)) return 'go-on'
    const index = Math.floor((atMs - fromMs) / sliceMs)
    for (const [name, found] of slices) {
      const value = reading[name]
      if (typeof value === 'number') addTo(found, index, value)
    }
    return 'go-on'
  })
  return {
    from: fromMs,
    to: toMs,
    sliceMs,
    channels: channels.map(({ name, unit }) => ({
      name,
      unit,
      slices: [...(slices.get(name) ?? [])]
        .sort(([a], [b]) => a - b)
        .map(([index, { least, sum, count, greatest }]) => [fromMs + index * sliceMs, least, sum / count, greatest]),
    })),
    isCut,
  }
}

function addTo(slices: Map<number, Slice>, index: number, value: number): void {
  const slice = slices.get(index)
  if (slice === undefined) slices.set(index, { least: value, greatest: value, sum: value, count: 1 })
  else {
    slice.least = Math.min(slice.least, value)
    slice.greatest = Math.max(slice.greatest, value)
    slice.sum += value
    slice.count += 1
  }
}

function readingOf(line: Buffer): Record<string, unknown> | null {
  try {
    const reading: unknown = JSON.parse(line.toString())
    return typeof reading === 'object' && reading !== null ? (reading as Record<string, unknown>) : null
  } catch {
    // A dead letter: it says nothing of a channel.
    return null
  }
}
