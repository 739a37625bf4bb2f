import type { CsvFormat } from '@millwright/core'
import { durationMs } from '@millwright/plant'
import type { GuessedChannel, GuessedProject } from './guess-project.ts'

/** Prints a text as a TypeScript string. */
function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/** Makes a file's name fit to stand in a comment. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, '_').replaceAll('*/', '*_')
}

/** Prints the key of an object. */
function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name)
}

/** Prints the `millwright.config.ts` of a project that was guessed from a sample. */
export function guessedConfig(name: string, guess: GuessedProject): string {
  const builders = [...new Set(guess.features.map(({ builder }) => builder))].sort()
  return `import { definePlant, ${builders.join(', ')}, tumbling } from '@millwright/plant'

/**
 * Guessed by \`millwright init\` from ${printable(guess.sample)}. Units and ranges are guesses: compare each
 * with the data sheet of its sensor. A range says what is plausible and changes nothing by itself; a cleaning rule acts on it.
 */
export default definePlant({
  name: ${quoted(name)},
  channels: {
${guess.channels.map(channelLines).join('\n')}
  },
${cleaningLines(guess.channels)}  // ${whyWindow(guess)}
  window: tumbling(${quoted(guess.window)}),
${guess.maxJump === null ? '' : `  time: { maxJump: ${quoted(guess.maxJump)} },\n`}  features: {
${guess.features.map(({ name, builder, channel }) => `    ${key(name)}: ${builder}(${quoted(channel)}),`).join('\n')}
  },
  // Features only, until there is a model: then its name goes here.
  model: null,
${heartbeatLines(guess)}${guess.csv === null ? '' : csvLines(guess.csv)}})
`
}

function channelLines({ name, unit, unitFrom, kind, min, max, survey }: GuessedChannel): string {
  const seen = survey.valueCount === 0 ? 'no values' : `${short(survey.min)} … ${short(survey.max)}`
  const unitNote = { file: 'unit from the file', name: 'unit guessed from the name', none: 'unit unknown' }[unitFrom]
  const fields = [
    `unit: ${quoted(unit)}`,
    ...(kind === 'gauge' ? [] : [`kind: ${quoted(kind)}`]),
    ...(min === null ? [] : [`min: ${min}`]),
    ...(max === null ? [] : [`max: ${max}`]),
  ]
  return `    // Seen: ${seen}; ${unitNote}.\n    ${key(name)}: { ${fields.join(', ')} },`
}

function cleaningLines(channels: readonly GuessedChannel[]): string {
  const rules = channels.flatMap(({ name, min, max }) => {
    const bounds = [...(min === null ? [] : [`min: ${min}`]), ...(max === null ? [] : [`max: ${max}`])]
    return bounds.length === 0 ? [] : [`  //   { channel: ${quoted(name)}, ${bounds.join(', ')}, onBad: 'missing' },\n`]
  })
  if (rules.length === 0) return ''
  return `  // Take the comment marks away, and these values are no longer used (or, with 'drop', the whole readings):
  // cleaning: [
${rules.join('')}  // ],
`
}

function whyWindow({ survey }: GuessedProject): string {
  if (Number.isNaN(survey.intervalMs))
    return 'No device has two readings in the sample: choose a window that holds a dozen.'
  return `A device reads every ${printInterval(survey.intervalMs)}: a window holds a dozen readings or more.`
}

/** A heartbeat closes a window with each beat: of windows beyond a day it would have none. */
function heartbeatLines({ window }: GuessedProject): string {
  if ((durationMs(window) ?? 0) > 86_400_000) return ''
  return `  // A reading of the plant's own so often shows that the way from the door to the result is open; null sends none.
  heartbeat: '5 s',
`
}

/** Prints a time between readings for a person: `250 ms`, `1 s`, `5 min`, `1.5 h`. */
export function printInterval(ms: number): string {
  const [unit, length] =
    ms < 1000 ? ['ms', 1] : ms < 60_000 ? ['s', 1000] : ms < 3_600_000 ? ['min', 60_000] : ['h', 3_600_000]
  return `${short(ms / length)} ${unit}`
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)))
}

function csvLines({ delimiter, decimal, deviceId, timestamp, channels }: CsvFormat): string {
  const renamed = Object.entries(channels).filter(([channel, column]) => channel !== column)
  const id = 'column' in deviceId ? `{ column: ${quoted(deviceId.column)} }` : `{ value: ${quoted(deviceId.value)} }`
  const lines = [
    `delimiter: ${quoted(delimiter)},`,
    `decimal: ${quoted(decimal)},`,
    `deviceId: ${id},`,
    `timestamp: { column: ${quoted(timestamp.column)}, format: ${quoted(timestamp.format)}, timeZone: ${quoted(timestamp.timeZone)} },`,
    ...(renamed.length === 0
      ? []
      : [`channels: { ${renamed.map(([channel, column]) => `${key(channel)}: ${quoted(column)}`).join(', ')} },`]),
  ]
  return `  csv: {\n${lines.map((line) => `    ${line}\n`).join('')}  },\n`
}

/** Prints the `millwright.config.ts` of a project that begins with nothing: the reference plant, to be changed. */
export function templateConfig(name: string): string {
  return `import { definePlant, mean, std, tumbling } from '@millwright/plant'

/**
 * What your machines measure, and what is made of it. The editor completes names and shows what each means; a mistake is
 * named at start, with the field and what is wanted.
 */
export default definePlant({
  name: ${quoted(name)},

  // What a reading may hold, beside deviceId and timestamp. min and max say what is physically possible.
  channels: {
    temperature: { unit: '°C', min: -40, max: 150 },
    vibration: { unit: 'mm/s', min: 0 },
    pressure: { unit: 'bar', min: 0 },
  },

  // A broken sensor says impossible things. 'drop' leaves out the whole reading, 'missing' this one value.
  cleaning: [{ channel: 'temperature', min: 0, max: 100, onBad: 'drop' }],

  // Readings are put together per device in windows of event time. Also: hopping, session, perReading.
  window: tumbling('5 min'),

  // One number each per window, in the order in which the model wants them. Also: min, max, slope, rms, quantile, lag,
  // rolling, hoursSince('maintenance'), and functions of your own.
  features: {
    tempStd: std('temperature'),
    vibration: mean('vibration'),
    pressure: mean('pressure'),
  },

  // The name of the model whose packages this plant accepts; null makes features only.
  model: null,
  // alert: { threshold: 0.8 },

  // A reading of the plant's own so often shows that the way from the door to the result is open; null sends none.
  heartbeat: '5 s',

  // How CSV files are to be read, where there are any:
  // csv: {
  //   delimiter: ';',
  //   decimal: ',',
  //   deviceId: { column: 'machine' },
  //   timestamp: { column: 'time', format: 'dd.MM.yyyy HH:mm:ss', timeZone: 'Europe/Berlin' },
  // },
})
`
}
