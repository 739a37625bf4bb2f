import type { CsvFormat } from '@millwright/core'
import { formatCount } from '../terminal/progress.ts'
import { printInterval } from './config-text.ts'
import type { GuessedChannel, GuessedProject } from './guess-project.ts'

/** Prints what was guessed, for a person who is to check it. */
export function guessText(guess: GuessedProject): string {
  const { survey, csv } = guess
  const devices = survey.deviceCount === 1 ? 'one device' : `${formatCount(survey.deviceCount)} devices`
  const interval = Number.isNaN(survey.intervalMs) ? '' : `, one every ${printInterval(survey.intervalMs)} each`
  const lines = [
    `${guess.sample}: ${formatCount(survey.readingCount)} readings of ${devices}${interval},`,
    `from ${new Date(survey.firstMs).toISOString()} to ${new Date(survey.lastMs).toISOString()}.`,
    '',
    'This was guessed; check it in millwright.config.ts:',
    ...(csv === null ? [] : [`  file      ${csvText(csv)}`]),
    ...guess.channels.map((channel, index) => `  ${index === 0 ? 'channels' : '        '}  ${channelText(channel)}`),
    `  windows   ${guess.window}`,
    `  features  ${guess.features.length}: ${[...new Set(guess.features.map(({ builder }) => builder))].join(', ')} of each channel`,
    ...(guess.remarks.length === 0 ? [] : ['', ...guess.remarks.map((remark) => `- ${remark}`)]),
  ]
  return lines.join('\n')
}

function csvText({ delimiter, decimal, deviceId, timestamp }: CsvFormat): string {
  const delimiterName = delimiter === '\t' ? 'tabs' : `"${delimiter}"`
  const id = 'column' in deviceId ? `device in "${deviceId.column}"` : `the device is "${deviceId.value}"`
  return `cells between ${delimiterName}, decimal mark "${decimal}", time in "${timestamp.column}" (${timestamp.format}), ${id}`
}

function channelText({ name, unit, unitFrom, kind, min, max }: GuessedChannel): string {
  const unitText = { file: `${unit}, as the file says`, name: `${unit}, a guess from the name`, none: 'unit unknown' }[
    unitFrom
  ]
  const range = min === null && max === null ? 'no range' : `${min ?? '−∞'} … ${max ?? '∞'}`
  return `${name}: ${range}; ${unitText}${kind === 'gauge' ? '' : `; a ${kind}`}`
}
