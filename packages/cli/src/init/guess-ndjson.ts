import { ConfigurationError, limits } from '@millwright/core'
import { readFileLines } from '@millwright/gateways/files'
import type { GuessedSource } from './guess-source.ts'
import { isChannelName } from './guess-unit.ts'

const sampleLinesMax = 2000

/**
 * Guesses the channels of a file of JSON lines: every field that holds numbers.
 *
 * @throws {ConfigurationError} When no line is a reading: `deviceId`, `timestamp` and at least one number.
 */
export async function guessNdjsonSource(path: string): Promise<GuessedSource> {
  const objects = await firstObjects(path)
  const fields = new Map<string, { present: number; numbers: number }>()
  for (const object of objects)
    for (const [name, value] of Object.entries(object)) {
      const field = fields.get(name) ?? { present: 0, numbers: 0 }
      fields.set(name, field)
      if (value !== null) field.present++
      if (typeof value === 'number') field.numbers++
    }
  for (const wanted of ['deviceId', 'timestamp'])
    if (!fields.has(wanted)) throw noReadings(path, [...fields.keys()], wanted)

  const remarks: string[] = []
  const channels: { name: string; unit: null }[] = []
  for (const [name, { present, numbers }] of fields) {
    if (name === 'deviceId' || name === 'timestamp') continue
    if (numbers === 0 || numbers * 20 < present * 19)
      remarks.push(`The field "${name}" is left out: it does not hold numbers.`)
    else if (!isChannelName(name)) remarks.push(`The field "${name}" is left out: no channel can have that name.`)
    else if (channels.length >= limits.channelsMax)
      remarks.push(`The field "${name}" is left out: a plant has at most ${limits.channelsMax} channels.`)
    else channels.push({ name, unit: null })
  }
  if (channels.length === 0) throw noReadings(path, [...fields.keys()], 'at least one field of numbers')
  return { kind: 'ndjson', csv: null, channels, remarks }
}

async function firstObjects(path: string): Promise<Record<string, unknown>[]> {
  const objects: Record<string, unknown>[] = []
  for await (const { bytes } of readFileLines(path)) {
    for (const line of Buffer.from(bytes).toString('utf8').split('\n')) {
      const value = parse(line)
      if (typeof value === 'object' && value !== null && !Array.isArray(value))
        objects.push(value as Record<string, unknown>)
      if (objects.length >= sampleLinesMax) return objects
    }
  }
  return objects
}

/** A line that is no JSON says nothing of the channels; it is counted when all lines are looked at. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

function noReadings(path: string, fields: readonly string[], missing: string): ConfigurationError {
  const found = fields.length === 0 ? 'no JSON object' : `the fields ${fields.slice(0, 20).join(', ')}, not ${missing}`
  return new ConfigurationError(`"${path}" cannot serve as a sample.`, [
    {
      field: '--from',
      found,
      wanted: 'lines such as {"deviceId":"press-07","timestamp":1766000000000,"temperature":61.2}',
    },
  ])
}
