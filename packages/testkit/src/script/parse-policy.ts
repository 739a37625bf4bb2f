import {
  type AlertLevel,
  type AlertMute,
  type AlertRules,
  type AlertSeverity,
  alertSeverities,
  type DevicePolicy,
  muteCauses,
} from '@millwright/core'
import { parseDuration } from './times.ts'

/** What the words of a policy say. */
interface PolicyWords {
  readonly levels: Partial<Record<AlertSeverity, Omit<AlertLevel, 'severity'>>>
  readonly windows: DevicePolicy['windows']
  readonly minimumDurationMs: number
  readonly clearAfterMs: number | null
}

const plain: PolicyWords = {
  levels: { warning: { threshold: null, clearThreshold: null } },
  windows: { high: 1, of: 1 },
  minimumDurationMs: 0,
  clearAfterMs: null,
}

/** Reads the lines that say what the alert policy is: `policy`, `policy-of` and `mute`. */
export class PolicyParser {
  whyMax = 3
  #plant: PolicyWords = plain
  readonly #devices: { readonly match: readonly string[]; readonly policy: DevicePolicy }[] = []
  readonly #mutes: AlertMute[] = []
  #hasRules = false

  /** Returns whether the line is one of a policy. @throws {Error} Saying what is wanted. */
  take(keyword: string, rest: string): boolean {
    if (keyword === 'policy') {
      const words = rest.split(/\s+/)
      this.#plant = this.#read(words, plain)
      this.#hasRules ||= words.some((word, i) => i % 2 === 0 && word !== 'threshold' && word !== 'why')
    } else if (keyword === 'policy-of') {
      const [match = '', ...words] = rest.split(/\s+/)
      this.#devices.push({ match: match.split(','), policy: policyOf(this.#read(words, this.#plant)) })
      this.#hasRules = true
    } else if (keyword === 'mute') {
      this.#mutes.push(muteOf(rest.split(/\s+/)))
      this.#hasRules = true
    } else return false
    return true
  }

  get threshold(): number | null {
    return this.#plant.levels.warning?.threshold ?? null
  }

  /** Absent where no more than a threshold is said. */
  get rules(): AlertRules | undefined {
    if (!this.#hasRules) return undefined
    return { policy: policyOf(this.#plant), devices: this.#devices, mutes: this.#mutes }
  }

  #read(words: readonly string[], before: PolicyWords): PolicyWords {
    let policy = before
    for (let i = 0; i < words.length; i += 2) {
      const [word = '', value = ''] = words.slice(i, i + 2)
      if (word === 'why') this.whyMax = Number(value)
      else policy = { ...policy, ...changeOf(policy, word, value) }
    }
    return policy
  }
}

function changeOf({ levels }: PolicyWords, word: string, value: string): Partial<PolicyWords> {
  const level = (severity: AlertSeverity, thresholds: Partial<Omit<AlertLevel, 'severity'>>): Partial<PolicyWords> => {
    const known = levels[severity] ?? { threshold: null, clearThreshold: null }
    return { levels: { ...levels, [severity]: { ...known, ...thresholds } } }
  }
  switch (word) {
    case 'threshold':
      return level('warning', { threshold: Number(value) })
    case 'clear':
      return level('warning', { clearThreshold: Number(value) })
    case 'windows': {
      const [high, of] = value.split('of').map(Number)
      if (high === undefined || of === undefined) throw new Error('windows 2of3')
      return { windows: { high, of } }
    }
    case 'minimumDuration':
      return { minimumDurationMs: durationOf(value) }
    case 'clearAfter':
      return { clearAfterMs: value === 'never' ? null : durationOf(value) }
    default: {
      const severity = alertSeverities.find((known) => known === word)
      const [threshold, clearThreshold = null] = value.split('/').map(Number)
      if (severity === undefined || threshold === undefined)
        throw new Error(`threshold, clear, windows, minimumDuration, clearAfter, why or one of ${alertSeverities}`)
      return level(severity, { threshold, clearThreshold })
    }
  }
}

function policyOf({ levels, ...rest }: PolicyWords): DevicePolicy {
  return {
    levels: alertSeverities.flatMap((severity) => {
      const level = levels[severity]
      return level === undefined ? [] : [{ severity, ...level }]
    }),
    ...rest,
  }
}

/** `maintenance|stopped beginType endType [atMost duration] [settle duration]` */
function muteOf([cause, beginType = '', endType = '', ...words]: readonly string[]): AlertMute {
  const known = muteCauses.find((candidate) => candidate === cause)
  if (known === undefined || endType === '')
    throw new Error(`${muteCauses.join(' or ')}, type of beginning, type of end`)
  const said = (name: string): number | null => {
    const at = words.indexOf(name)
    return at < 0 ? null : durationOf(words[at + 1])
  }
  return { cause: known, beginType, endType, atMostMs: said('atMost'), settleMs: said('settle') ?? 0 }
}

function durationOf(text: string | undefined): number {
  const durationMs = parseDuration(text ?? '')
  if (durationMs === null) throw new Error(`a duration such as 10s, found "${text ?? ''}"`)
  return durationMs
}
