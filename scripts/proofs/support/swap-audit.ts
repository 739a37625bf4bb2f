import type { AlertSignal, DeviceFeatures } from '@millwright/core'
import { vibrationSplit } from './packages.ts'
import type { Proof } from './proof.ts'
import { windowMs } from './proof-plant.ts'

/** An activation as the log has it: by the rule, in force from this moment of append time until the next one is. */
export interface InForce {
  readonly version: string
  readonly fromMs: number
  /** Whether it was seen only after the moment that it asked for. */
  readonly late: boolean
}

/** By the rule of activation: in force from `activeFrom`, or from just after it was seen where that is later. Ascending. */
export function inForceByRule(
  activations: readonly { readonly version: string; readonly activeFromMs: number; readonly seenAtMs: number }[],
): InForce[] {
  return activations
    .map(({ version, activeFromMs, seenAtMs }) => {
      const late = activeFromMs <= seenAtMs
      return { version, fromMs: late ? seenAtMs + 1 : activeFromMs, late }
    })
    .sort((a, b) => a.fromMs - b.fromMs)
}

/** A window as the log has it: the record that closed it, and the version that must have scored it. */
interface Closing {
  readonly offset: number
  readonly version: string
}

type Fault = 'lost' | 'doubled' | 'strange' | 'version' | 'answer' | 'features' | 'place'

/**
 * Holds what came of the proofs' readings to what went in and to the rule of activation, without asking the operators: which reading
 * closes a window is told by its neighbours, which version scores it by the log. Readings first, then what came of them.
 */
export class SwapAudit {
  readonly #closings = new Map<string, Closing>()
  readonly #clocks = new Map<string, number>()
  readonly #features = new Map<string, string>()
  readonly #scored = new Set<string>()
  readonly #faults: Record<Fault, string[]> = {
    lost: [],
    doubled: [],
    strange: [],
    version: [],
    answer: [],
    features: [],
    place: [],
  }
  readonly #highWhenCalm: (version: string) => boolean
  #readingCount = 0
  #alertCount = 0
  #placesAreKnown = true

  /** @param highWhenCalm What the models of the proof answer, by version. */
  constructor(highWhenCalm: (version: string) => boolean) {
    this.#highWhenCalm = highWhenCalm
  }

  /** A reading, as its partition has it. */
  reading(
    { offset, appendTimeMs, line }: { readonly offset: number; readonly appendTimeMs: number; readonly line: string },
    inForce: readonly InForce[],
  ): void {
    this.#readingCount += 1
    const { deviceId, timestamp } = JSON.parse(line) as { deviceId: string; timestamp: number }
    const before = this.#clocks.get(deviceId) ?? timestamp
    this.#clocks.set(deviceId, timestamp)
    const start = Math.floor(before / windowMs) * windowMs
    // Readings come every tenth of a window and in order: a reading closes at most the window before its own.
    if (start + windowMs > timestamp) return
    const version = inForce.findLast(({ fromMs }) => fromMs <= appendTimeMs)?.version ?? 'none'
    this.#closings.set(`${deviceId} ${start} 0`, { offset, version })
  }

  /** A record of `device-features`. @param inputOffset Place of the reading that closed it; `null` where the log does not keep it. */
  features(value: string, inputOffset: number | null): void {
    const record = JSON.parse(value) as DeviceFeatures
    const key = `${record.deviceId} ${record.windowStart} ${record.revision}`
    if (this.#features.has(key)) this.#faults.doubled.push(`device-features ${key}`)
    if (!this.#closings.has(key)) this.#faults.strange.push(`device-features ${key}`)
    else this.#checkPlace(`device-features ${key}`, this.#closings.get(key)?.offset, inputOffset)
    this.#features.set(key, JSON.stringify(record.features))
  }

  /** A record of `alert-signals`; its window's features come before. */
  alert(value: string, inputOffset: number | null): void {
    const alert = JSON.parse(value) as AlertSignal
    const key = `${alert.deviceId} ${alert.windowStart} ${alert.revision}`
    this.#alertCount += 1
    if (this.#scored.has(key)) this.#faults.doubled.push(`alert-signals ${key}`)
    this.#scored.add(key)
    const closing = this.#closings.get(key)
    if (closing === undefined) {
      this.#faults.strange.push(`alert-signals ${key}`)
      return
    }
    this.#checkPlace(`alert-signals ${key}`, closing.offset, inputOffset)
    if (closing.version !== alert.model.version)
      this.#faults.version.push(`${key}: by ${alert.model.version}, the log says ${closing.version}`)
    const calm = Math.fround(alert.features['vibration'] ?? Number.NaN) < vibrationSplit
    if (alert.probability > 0.8 !== (calm === this.#highWhenCalm(alert.model.version))) this.#faults.answer.push(key)
    if (this.#features.get(key) !== JSON.stringify(alert.features)) this.#faults.features.push(key)
  }

  /** Says what was found. @param sent What those say who sent the readings. */
  report(proof: Proof, sent: { readonly lineCount: number; readonly closedWindowCount: number }): void {
    const windowCount = this.#closings.size
    const faults = this.#faults
    for (const key of this.#closings.keys()) {
      if (!this.#features.has(key)) faults.lost.push(`device-features ${key}`)
      if (!this.#scored.has(key)) faults.lost.push(`alert-signals ${key}`)
    }
    for (const [fault, found] of Object.entries(faults))
      for (const text of found.slice(0, 3)) proof.say(`${fault} (${found.length}): ${text}`)
    proof.check(
      this.#readingCount === sent.lineCount,
      `the log has each of the ${sent.lineCount} acknowledged readings once`,
    )
    proof.check(
      windowCount === sent.closedWindowCount && windowCount > 1000,
      `${windowCount} windows were closed, as many as the readings say`,
    )
    proof.check(
      faults.lost.length === 0 && this.#features.size === windowCount && this.#alertCount === windowCount,
      'none is lost: each has its features and its alert',
    )
    proof.check(faults.doubled.length + faults.strange.length === 0, 'none is doubled, and none comes from nowhere')
    if (this.#placesAreKnown)
      proof.check(faults.place.length === 0, 'each is kept with the place of the reading that closed it')
    proof.check(faults.version.length === 0, 'each alert is by the version that the log says was in force')
    proof.check(faults.answer.length === 0, 'each alert has the answer of the version it names, not of the other one')
    proof.check(faults.features.length === 0, 'each alert has the features that device-features has')
  }

  #checkPlace(what: string, wanted: number | undefined, found: number | null): void {
    if (found === null) this.#placesAreKnown = false
    else if (wanted !== found) this.#faults.place.push(what)
  }
}
