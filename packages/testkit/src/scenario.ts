import type { Plan } from '@millwright/core'
import { planFrom, type ScenarioOptions, seededRandom } from './scenario-plan.ts'
import type { Step } from './steps.ts'

/**
 * Random plans and histories of a few devices, in a small world where everything happens often: windows of seconds, jumps of a
 * minute, silence after half a minute. All numbers come from one generator, so a seed is a whole history.
 */

/** When the histories begin: 2026-01-01T00:00:00Z. */
const beginMs = 1_767_225_600_000

export interface Scenario {
  readonly plan: Plan
  readonly steps: readonly Step[]
}

/** Makes a plan with every kind of feature, and a history with every kind of trouble. */
export function randomScenario(seed: number, options: ScenarioOptions): Scenario {
  const random = seededRandom(seed)
  const plan = planFrom(random, options)
  // Of a device's windows some must be answered each way, so models change often.
  const activationShare = options.alertRules ? 0.2 : 0.04
  const history = new HistoryMaker(random, options.appendTimes ?? true, activationShare)
  const steps: Step[] = Array.from({ length: options.stepCount ?? 120 }, () => history.next())
  if (options.endOfInput ?? random() < 0.5) steps.push({ kind: 'end' })
  return { plan, steps }
}

const encoder = new TextEncoder()

class HistoryMaker {
  readonly #random: () => number
  readonly #appendTimes: boolean
  readonly #activationShare: number
  #nowMs = beginMs
  #version = 0
  /** Lines sent lately, to be sent again. */
  readonly #sent: string[] = []

  constructor(random: () => number, appendTimes: boolean, activationShare: number) {
    this.#random = random
    this.#appendTimes = appendTimes
    this.#activationShare = activationShare
  }

  next(): Step {
    const random = this.#random
    const dice = random()
    // Mostly some seconds; at times long enough for silence or for being forgotten.
    this.#nowMs += Math.floor(dice < 0.97 ? random() * 3000 : dice < 0.99 ? 35_000 : 130_000)
    const appendTimeMs = this.#appendTimes ? this.#nowMs : Number.NaN
    const kind = random()
    if (kind < 0.05) return { kind: 'heartbeat', appendTimeMs: this.#nowMs }
    if (kind < 0.12) return { kind: 'events', bytes: encoder.encode(this.#event()), appendTimeMs }
    if (kind < 0.12 + this.#activationShare) return this.#activation(appendTimeMs)
    const lines = Array.from({ length: 1 + Math.floor(random() * 4) }, () => this.#line())
    return { kind: 'readings', bytes: encoder.encode(`${lines.join('\n')}\n`), appendTimeMs }
  }

  #line(): string {
    const kind = this.#random()
    if (kind < 0.02) return 'not json'
    if (kind < 0.03) return ''
    const old = this.#sent[Math.floor(this.#random() * this.#sent.length)]
    if (kind < 0.12 && old !== undefined) return old
    const line = this.#reading()
    this.#sent.push(line)
    if (this.#sent.length > 12) this.#sent.shift()
    return line
  }

  #reading(): string {
    const random = this.#random
    const place = random()
    let timestamp = this.#nowMs - Math.floor(random() * 3000)
    if (place < 0.15) timestamp -= Math.floor(random() * 25_000)
    else if (place < 0.2) timestamp += Math.floor(random() * 40_000)
    else if (place < 0.24) timestamp += 70_000 + Math.floor(random() * 30_000)
    // Whole seconds make equal times common.
    if (random() < 0.5) timestamp = Math.floor(timestamp / 1000) * 1000
    const reading: Record<string, unknown> = { deviceId: this.#device(), timestamp }
    const a = random()
    if (a < 0.85) reading['a'] = a < 0.05 ? 250 : Math.round(random() * 400 - 200) / 4
    else if (a < 0.9) reading['a'] = null
    if (random() < 0.8 || !('a' in reading))
      reading['b'] = random() < 0.05 ? 5000 : 900 + Math.round(random() * 100) / 10
    return JSON.stringify(reading)
  }

  #event(): string {
    const random = this.#random
    const type = ['maintenance', 'error', 'note'][Math.floor(random() * 3)]
    const timestamp = Math.floor((this.#nowMs - random() * 40_000 + (random() < 0.1 ? 60_000 : 0)) / 1000) * 1000
    return JSON.stringify({ deviceId: this.#device(), timestamp, type, ...(random() < 0.3 ? { detail: 'E7' } : {}) })
  }

  #activation(appendTimeMs: number): Step {
    const random = this.#random
    this.#version += 1
    const model = { version: `v${this.#version}`, probability: Math.round(random() * 100) / 100, threshold: 0.6 }
    return { kind: 'activate', model, activeFromMs: this.#nowMs + Math.floor(random() * 8000 - 3000), appendTimeMs }
  }

  #device(): string {
    return ['press-1', 'press-2', 'ö"3'][Math.floor(this.#random() * 3)] as string
  }
}
