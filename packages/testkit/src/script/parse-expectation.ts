import type { OutputTopic } from '@millwright/core'
import type { ExpectedCounter, ExpectedOutput } from './expectation.ts'
import { parseTime } from './times.ts'

type Fields = Map<string, string | number | null | undefined>

/** Reads the lines that say what comes out: `output` and `counter`. */
export class ExpectationParser {
  readonly outputs: ExpectedOutput[] = []
  readonly counters: ExpectedCounter[] = []
  /** Steps that were there when the outputs before the ones at hand were named, and when the last one was. */
  #groupStart = 0
  #groupEnd = 0

  /** Returns whether the line is one of what comes out. @throws {Error} Saying what is wanted. */
  take(keyword: string, rest: string, line: number, stepCount: number): boolean {
    if (keyword === 'counter') {
      const match = /^(.+)\s+(\d+)$/.exec(rest)
      if (match === null) throw new Error('name value')
      this.counters.push({ line, name: match[1]?.trim() ?? '', value: Number(match[2]) })
      return true
    }
    if (keyword !== 'output') return false
    if (stepCount !== this.#groupEnd) {
      this.#groupStart = this.#groupEnd
      this.#groupEnd = stepCount
    }
    if (rest === 'nothing') return true
    const [kind = '', device = '', ...words] = rest.split(/\s+/)
    const { topic, fields } = messageOf(kind, words.join(' '))
    const deviceId = device === '-' ? null : device
    const place = { afterStep: this.#groupStart, beforeStep: this.#groupEnd }
    this.outputs.push({ line, topic, deviceId, fields, ...place })
    return true
  }
}

function messageOf(kind: string, rest: string): { topic: OutputTopic; fields: Fields } {
  const fields: Fields = new Map()
  switch (kind) {
    case 'features':
      pairs(window(rest, fields), (name, value) => {
        fields.set(name === 'readings' ? 'readingCount' : name === 'revision' ? name : `features.${name}`, value)
      })
      return { topic: 'device-features', fields }
    case 'alert': {
      const match = /^(\S+)\s+(\S+)\s+(high|normal)(.*)$/.exec(window(rest, fields))
      if (match === null) throw new Error('alert device [start, end) version probability high|normal')
      fields.set('model.version', match[1] ?? '')
      fields.set('probability', Number(match[2]))
      fields.set('status', match[3] === 'high' ? 'High risk of failure' : 'Normal')
      pairs(policyOf(match[4] ?? '', fields), (name, value) => {
        fields.set(name === 'revision' ? name : `features.${name}`, value)
      })
      return { topic: 'alert-signals', fields }
    }
    case 'late': {
      const match = /^(\S+)\s+clock\s+(\S+)(.*)$/.exec(rest)
      if (match === null) throw new Error('late device time clock time')
      fields.set('timestamp', timeOf(match[1] ?? ''))
      fields.set('deviceClock', timeOf(match[2] ?? ''))
      pairs(match[3] ?? '', (name, value) => fields.set(`channels.${name}`, value))
      return { topic: 'late-readings', fields }
    }
    case 'dead': {
      const [reason = '', ...words] = rest.split(/\s+/)
      fields.set('reason', reason)
      pairs(words.join(' '), (name, value) => fields.set(name, value))
      return { topic: 'dead-letters', fields }
    }
    case 'status': {
      const [what = '', time = '', cause, severity, since] = rest.split(/\s+/)
      fields.set('kind', what === 'cleared' ? 'alert-cleared' : `device-${what}`)
      fields.set('at', timeOf(time))
      if (cause !== undefined) fields.set('cause', cause)
      if (severity !== undefined) fields.set('severity', severity)
      if (since !== undefined) fields.set('since', timeOf(since))
      return { topic: 'device-status', fields }
    }
    default:
      throw new Error('output nothing, or of features, alert, late, dead or status')
  }
}

/** Takes `[start, end)` off the front and returns what follows. The revision is 0 unless something else is said. */
function window(rest: string, fields: Fields): string {
  const match = /^\[(\S+), (\S+)\)(.*)$/.exec(rest)
  if (match === null) throw new Error('[start, end)')
  fields.set('windowStart', timeOf(match[1] ?? ''))
  fields.set('windowEnd', timeOf(match[2] ?? ''))
  fields.set('revision', 0)
  return match[3]?.trim() ?? ''
}

/**
 * Takes what a policy made of a window off the front, and returns what follows: `raising SEVERITY`, `holding SEVERITY [before SEVERITY]` or `clearing
 * SEVERITY CAUSE`, each with `since TIME`; then `muted CAUSE`. What is not there is wanted to be absent.
 */
function policyOf(rest: string, fields: Fields): string {
  const pattern =
    /^\s*(?:(raising|holding|clearing)\s+(\S+)\s+(?:before\s+(\S+)\s+|(?!since)(\S+)\s+)?since\s+(\S+))?\s*(?:muted\s+(\S+))?(.*)$/
  const [, mark, severity, before, cause, since, muted, left = ''] = pattern.exec(rest) ?? []
  if (mark === undefined) fields.set('alert', undefined)
  else {
    fields.set('alert.mark', mark)
    fields.set('alert.severity', severity)
    fields.set('alert.before', before)
    fields.set('alert.cause', cause)
    fields.set('alert.since', timeOf(since ?? ''))
  }
  fields.set('muted', muted)
  return left
}

/** Reads `name=value` pairs: a number, `-` for null, or a word. */
function pairs(text: string, set: (name: string, value: string | number | null) => void): void {
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const match = /^(.+?)=(.+)$/.exec(word)
    if (match === null) throw new Error(`name=value, found "${word}"`)
    const value = match[2] ?? ''
    set(match[1] ?? '', value === '-' ? null : Number.isNaN(Number(value)) ? value : Number(value))
  }
}

function timeOf(text: string): number {
  const timeMs = parseTime(text)
  if (timeMs === null) throw new Error(`a time such as 12:00:01, found "${text}"`)
  return timeMs
}
