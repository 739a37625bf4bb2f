import { basename } from 'node:path'
import { type ChannelKind, ConfigurationError, type CsvFormat, limits } from '@millwright/core'
import { readingFileKind } from '@millwright/gateways/files'
import { type Duration, formatDuration } from '@millwright/plant'
import { guessCsvSource } from './guess-csv.ts'
import { guessNdjsonSource } from './guess-ndjson.ts'
import { guessRange } from './guess-range.ts'
import type { GuessedSource } from './guess-source.ts'
import { guessUnit } from './guess-unit.ts'
import { guessWindowSizeMs } from './guess-window.ts'
import { type ChannelSurvey, type Survey, surveySample } from './survey.ts'

/** A project as a sample suggests it. Everything in it is a guess but the counts in `survey`. */
export interface GuessedProject {
  /** Name of the sample file, without its folder. */
  readonly sample: string
  readonly channels: readonly GuessedChannel[]
  readonly window: Duration
  readonly features: readonly GuessedFeature[]
  /** Farthest step of a device's clock that is believed at once, where the default of a day would be too short. */
  readonly maxJump: Duration | null
  readonly csv: CsvFormat | null
  readonly survey: Survey
  readonly remarks: readonly string[]
}

export interface GuessedChannel {
  readonly name: string
  readonly unit: string
  /** `file`: the header names it. `name`: the channel's name suggests it. `none`: nothing does. */
  readonly unitFrom: 'file' | 'name' | 'none'
  readonly kind: ChannelKind
  readonly min: number | null
  readonly max: number | null
  readonly survey: ChannelSurvey
}

export interface GuessedFeature {
  readonly name: string
  /** Function of `@millwright/plant` that makes it. */
  readonly builder: 'mean' | 'std' | 'min' | 'max' | 'slope' | 'range' | 'last'
  readonly channel: string
}

/**
 * Looks at a sample of readings and guesses the project that fits it.
 *
 * @throws {ConfigurationError} When the file cannot be read or holds no readings.
 */
export async function guessProject(path: string): Promise<GuessedProject> {
  const source = await (readingFileKind(path) === 'csv' ? guessCsvSource(path) : guessNdjsonSource(path))
  const names = source.channels.map(({ name }) => name)
  const survey = await surveySample(path, names, source.csv)
  if (survey.readingCount === 0) throw noReadings(path, survey)
  const channels = survey.channels.map((channel, index) => guessChannel(channel, source.channels[index]?.unit ?? null))
  return {
    sample: basename(path),
    channels,
    window: formatDuration(guessWindowSizeMs(survey.intervalMs)),
    features: guessFeatures(channels),
    maxJump: guessMaxJump(survey.intervalMs),
    csv: source.csv,
    survey,
    remarks: [...source.remarks, ...remarksOn(survey, source)],
  }
}

const dayMs = 86_400_000

/** Readings that are a day apart would all look like jumps of the clock. */
function guessMaxJump(intervalMs: number): Duration | null {
  return intervalMs > dayMs / 2 ? formatDuration(Math.ceil((4 * intervalMs) / dayMs) * dayMs) : null
}

function guessChannel(survey: ChannelSurvey, unitInFile: string | null): GuessedChannel {
  const kind = guessKind(survey)
  const guessedUnit = kind === 'state' ? '1' : guessUnit(survey.name)
  const unit = unitInFile ?? guessedUnit
  const unitFrom = unitInFile !== null ? 'file' : guessedUnit === '1' ? 'none' : 'name'
  const { name } = survey
  if (survey.valueCount === 0) return { name, unit, unitFrom, kind, min: null, max: null, survey }
  if (kind === 'gauge') return { name, unit, unitFrom, kind, ...guessRange(survey, unit), survey }
  // A counter has no end, and codes that were not seen yet may come.
  return { name, unit, unitFrom, kind, min: survey.min >= 0 ? 0 : null, max: null, survey }
}

/** Codes are a few small whole numbers that mostly stay; a counter rises and falls only when it starts anew. */
function guessKind({
  allWhole,
  distinctCount,
  valueCount,
  max,
  min,
  risingShare,
  fallingShare,
}: ChannelSurvey): ChannelKind {
  if (valueCount < 50) return 'gauge'
  if (allWhole && distinctCount <= 12 && min >= 0 && max <= 100 && risingShare + fallingShare < 0.5) return 'state'
  return allWhole && risingShare > 0.5 && fallingShare < 0.001 ? 'counter' : 'gauge'
}

const buildersOfKind: Readonly<Record<ChannelKind, readonly GuessedFeature['builder'][]>> = {
  gauge: ['mean', 'std', 'min', 'max', 'slope'],
  counter: ['range', 'slope'],
  state: ['last', 'max'],
}

/** What a model can begin with: level, unrest, extremes and trend of each channel. */
function guessFeatures(channels: readonly GuessedChannel[]): GuessedFeature[] {
  const all = channels.flatMap(({ name, kind }) =>
    buildersOfKind[kind].map((builder) => ({
      name: `${name}${builder.charAt(0).toUpperCase()}${builder.slice(1)}`,
      builder,
      channel: name,
    })),
  )
  if (all.length <= limits.featuresMax) return all
  return all.filter(
    ({ builder }) => builder === 'mean' || builder === 'std' || builder === 'range' || builder === 'last',
  )
}

function remarksOn(survey: Survey, source: GuessedSource): string[] {
  const remarks: string[] = []
  const count = (number: number): string => number.toLocaleString('en-US')
  const times = (number: number): string => (number === 1 ? 'once' : `${count(number)} times`)
  for (const [reason, lines] of Object.entries(survey.refused))
    remarks.push(
      `${count(lines)} ${source.kind === 'csv' ? 'rows' : 'lines'} are no readings and become dead letters: ${reason}.`,
    )
  if (survey.repeatedCount > 0)
    remarks.push(
      `A time occurs again in the next reading (${times(survey.repeatedCount)}): with the same values too, it is dropped as sent twice.`,
    )
  if (survey.backwardCount > 0)
    remarks.push(
      `Time goes back (${times(survey.backwardCount)}): readings of a window that is closed are late, and kept apart.`,
    )
  for (const { name, valueCount } of survey.channels)
    if (valueCount === 0) remarks.push(`"${name}" has no value in any reading.`)
  if (!survey.complete) remarks.push('Only the first million readings were looked at.')
  return remarks
}

function noReadings(path: string, { refused }: Survey): ConfigurationError {
  const reasons = Object.entries(refused).map(([reason, count]) => `${reason} (${count})`)
  return new ConfigurationError(`"${path}" cannot serve as a sample.`, [
    {
      field: '--from',
      found: reasons.length === 0 ? 'no readings' : `only lines that are no readings: ${reasons.join(', ')}`,
      wanted: 'readings',
    },
  ])
}
