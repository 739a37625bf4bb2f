import type { CsvFormat, ReadingBatch } from '@millwright/core'
import { readReadings } from '@millwright/gateways/files'
import { createReadingDecoder } from '@millwright/operators'
import { createThinnedValues, type ThinnedValues } from './thinned-values.ts'

/** What a sample holds, as the plant's own reader and decoder see it. */
export interface Survey {
  readonly readingCount: number
  /** Lines or rows that are no readings, by reason. */
  readonly refused: Readonly<Record<string, number>>
  readonly deviceCount: number
  /** Epoch milliseconds; NaN without readings. */
  readonly firstMs: number
  readonly lastMs: number
  /** Median time between two readings of one device; NaN when no device has two. */
  readonly intervalMs: number
  /** Readings whose time is the one of the device's reading before; readings whose time is earlier. */
  readonly repeatedCount: number
  readonly backwardCount: number
  readonly channels: readonly ChannelSurvey[]
  /** Whether all of the file was read. */
  readonly complete: boolean
}

export interface ChannelSurvey {
  readonly name: string
  readonly valueCount: number
  readonly min: number
  readonly max: number
  /** Quantiles 0.1 % and 99.9 %. */
  readonly low: number
  readonly high: number
  readonly allWhole: boolean
  /** Different values, up to 13: beyond that it does not matter how many. */
  readonly distinctCount: number
  /** Share of steps from one reading of a device to its next that rise, and that fall. */
  readonly risingShare: number
  readonly fallingShare: number
}

const readingsMax = 1_000_000
const devicesMax = 100_000
const distinctMax = 13

/** Reads a sample, up to a million readings of it. */
export async function surveySample(
  path: string,
  channelNames: readonly string[],
  csv: CsvFormat | null,
): Promise<Survey> {
  const decoder = createReadingDecoder({ channels: channelNames, timestamp: 'event', devicesMax })
  const intervals = createThinnedValues()
  const channels = channelNames.map((name) => new ChannelTally(name))
  const refused: Record<string, number> = {}
  const times: number[] = []
  let readingCount = 0
  let firstMs = Number.NaN
  let lastMs = Number.NaN
  let repeatedCount = 0
  let backwardCount = 0

  function addBatch({ rowCount, device, timestampMs, channels: columns, refusals }: ReadingBatch): void {
    for (const { reason } of refusals) refused[reason] = (refused[reason] ?? 0) + 1
    for (let row = 0; row < rowCount; row++) {
      const index = device[row] as number
      if (index < 0) continue
      readingCount++
      const timeMs = timestampMs[row] as number
      firstMs = timeMs < firstMs ? timeMs : Number.isNaN(firstMs) ? timeMs : firstMs
      lastMs = timeMs > lastMs ? timeMs : Number.isNaN(lastMs) ? timeMs : lastMs
      const previousMs = times[index]
      times[index] = timeMs
      if (previousMs !== undefined) {
        if (timeMs === previousMs) repeatedCount++
        else if (timeMs < previousMs) backwardCount++
        else intervals.add(timeMs - previousMs)
      }
      for (let channel = 0; channel < channels.length; channel++)
        (channels[channel] as ChannelTally).add(index, (columns[channel] as Float64Array)[row] as number)
    }
  }

  let complete = true
  for await (const { bytes } of readReadings(path, csv)) {
    if (readingCount >= readingsMax) {
      complete = false
      break
    }
    decoder.decode(bytes, addBatch)
  }
  return {
    readingCount,
    refused,
    deviceCount: decoder.deviceCount,
    firstMs,
    lastMs,
    intervalMs: intervals.quantile(0.5),
    repeatedCount,
    backwardCount,
    channels: channels.map((channel) => channel.survey()),
    complete,
  }
}

class ChannelTally {
  readonly #name: string
  readonly #values: ThinnedValues = createThinnedValues()
  readonly #distinct = new Set<number>()
  readonly #lastOfDevice: number[] = []
  #count = 0
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY
  #allWhole = true
  #steps = 0
  #rising = 0
  #falling = 0

  constructor(name: string) {
    this.#name = name
  }

  /** @param value NaN is missing. */
  add(device: number, value: number): void {
    if (Number.isNaN(value)) return
    this.#count++
    this.#min = Math.min(this.#min, value)
    this.#max = Math.max(this.#max, value)
    this.#allWhole &&= Number.isInteger(value)
    if (this.#distinct.size < distinctMax) this.#distinct.add(value)
    this.#values.add(value)
    const previous = this.#lastOfDevice[device]
    this.#lastOfDevice[device] = value
    if (previous === undefined) return
    this.#steps++
    if (value > previous) this.#rising++
    else if (value < previous) this.#falling++
  }

  survey(): ChannelSurvey {
    return {
      name: this.#name,
      valueCount: this.#count,
      min: this.#min,
      max: this.#max,
      low: this.#values.quantile(0.001),
      high: this.#values.quantile(0.999),
      allWhole: this.#allWhole,
      distinctCount: this.#distinct.size,
      risingShare: this.#steps === 0 ? 0 : this.#rising / this.#steps,
      fallingShare: this.#steps === 0 ? 0 : this.#falling / this.#steps,
    }
  }
}
