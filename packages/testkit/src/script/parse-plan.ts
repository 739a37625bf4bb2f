import type { CleaningRule, FeatureNode, Plan, TimeRules, WindowNode } from '@millwright/core'
import { planOf } from '../plans.ts'
import { parseFeature } from './feature-expression.ts'
import { PolicyParser } from './parse-policy.ts'
import { parseDuration } from './times.ts'

type DurationRule = { [K in keyof TimeRules]: K extends `${infer Name}Ms` ? Name : never }[keyof TimeRules]

const durationRules: readonly DurationRule[] = [
  'grace',
  'allowedLateness',
  'maxJump',
  'maxClockAhead',
  'silentAfter',
  'forgetAfter',
]

/** Reads the lines that say what plan runs: `flow`, `rule` and those of the alert policy. */
export class PlanParser {
  #channels: readonly string[] = []
  #window: WindowNode = { kind: 'per-reading' }
  #time: Partial<TimeRules> = {}
  #features: Record<string, FeatureNode> = {}
  readonly #cleaning: CleaningRule[] = []
  readonly #policy = new PolicyParser()
  /** Whether a `flow` line was read. */
  begun = false

  /** Returns whether the line is one of a plan. @throws {Error} Saying what is wanted. */
  take(keyword: string, rest: string): boolean {
    if (keyword === 'flow') this.#flow(rest)
    else if (keyword === 'rule') this.#rule(rest)
    else return this.#policy.take(keyword, rest)
    return true
  }

  plan(): Plan {
    if (!this.begun) throw new Error('a flow line')
    const { threshold, whyMax, rules } = this.#policy
    return planOf({
      channels: this.#channels,
      window: this.#window,
      features: this.#features,
      cleaning: this.#cleaning,
      time: this.#time,
      threshold,
      whyMax,
      ...(rules === undefined ? {} : { alertRules: rules }),
    })
  }

  /** `channels | window and rules of time | features` */
  #flow(rest: string): void {
    const [channels, timing, features] = rest.split('|').map((part) => part.trim())
    if (channels === undefined || timing === undefined || features === undefined)
      throw new Error('channels | window and rules of time | features')
    this.begun = true
    this.#channels = channels.split(/\s+/)
    const words = timing.split(/\s+/)
    this.#window = windowOf(words)
    this.#time = timeOf(words)
    for (const text of splitOutsideBrackets(features)) {
      const named = /^\s*([\w.-]+)\s*=\s*(.+)$/.exec(text)
      this.#features[named?.[1] ?? text.trim()] = parseFeature(named?.[2] ?? text)
    }
  }

  /** `name channel min..max drop|missing` */
  #rule(rest: string): void {
    const match = /^(\S+)\s+(\S+)\s+(-?[\d.]*?)\.\.(-?[\d.]*)\s+(drop|missing)$/.exec(rest)
    if (match === null) throw new Error('name channel min..max drop|missing')
    const [, name = '', channel = '', min = '', max = '', onBad] = match
    this.#cleaning.push({
      kind: 'range',
      name,
      channel,
      min: min === '' ? null : Number(min),
      max: max === '' ? null : Number(max),
      onBad: onBad as 'drop' | 'missing',
    })
  }
}

/** Takes the words of a window off the front. */
function windowOf(words: string[]): WindowNode {
  const kind = words.shift()
  switch (kind) {
    case 'tumbling':
      return { kind, sizeMs: durationOf(words.shift()) }
    case 'hopping': {
      const sizeMs = durationOf(words.shift())
      if (words.shift() !== 'by') throw new Error('hopping SIZE by SLIDE')
      return { kind, sizeMs, slideMs: durationOf(words.shift()) }
    }
    case 'session':
      return { kind, gapMs: durationOf(words.shift()) }
    case 'per-reading':
      return { kind }
    default:
      throw new Error('tumbling, hopping, session or per-reading')
  }
}

function timeOf(words: string[]): Partial<TimeRules> {
  const time: { -readonly [K in keyof TimeRules]?: TimeRules[K] } = {}
  while (words.length > 0) {
    const word = words.shift() ?? ''
    const rule = durationRules.find((known) => known === word)
    if (rule !== undefined) time[`${rule}Ms`] = durationOf(words.shift())
    else if (word === 'arrival') time.timestamp = 'arrival'
    else if (word === 'devicesMax') time.devicesMax = Number(words.shift())
    else throw new Error(`arrival, devicesMax or one of ${durationRules.join(', ')}`)
  }
  return time
}

function durationOf(text: string | undefined): number {
  const durationMs = parseDuration(text ?? '')
  if (durationMs === null) throw new Error(`a duration such as 10s, found "${text ?? ''}"`)
  return durationMs
}

/** Splits at commas that stand in no brackets. */
function splitOutsideBrackets(text: string): string[] {
  const parts: string[] = ['']
  let depth = 0
  for (const character of text) {
    if (character === '(') depth += 1
    if (character === ')') depth -= 1
    if (character === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += character
  }
  return parts
}
