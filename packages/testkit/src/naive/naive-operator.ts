import { type AlertCleared, assert, type DeadLetterReason, limits, type OutputTopic, type Plan } from '@millwright/core'
import { decodeWithJsonParse } from '@millwright/operators'
import type { ConformanceEngine, RunResult, Step, StepOutput } from '../steps.ts'
import { naiveDecision, naiveEnd, naiveMute, naiveMuteBegun, naivePolicy } from './naive-alerts.ts'
import { type NaiveDevice, type NaiveWindow, newNaiveDevice } from './naive-device.ts'
import { type NaiveEntry, naiveFeature } from './naive-features.ts'
import type { NaiveReading } from './naive-statistics.ts'

/**
 * The rules of DESIGN section 4 once more, in the plainest way that could be thought of: maps and lists, every reading kept,
 * every feature calculated anew from all of them by two passes. Slow, and an oracle for the product's operator.
 *
 * Its results equal the operator's but for the last digits of features. Not covered: bounds on history and kept readings.
 */
export function createNaiveEngine(): ConformanceEngine {
  return { name: 'naive', run: (plan, steps) => new NaiveOperator(plan).run(steps) }
}

interface NaiveActivation {
  readonly version: string
  readonly probability: number
  readonly threshold: number
  readonly effectiveFromMs: number
}

class NaiveOperator {
  readonly #plan: Plan
  readonly #devices = new Map<string, NaiveDevice>()
  readonly #activations: NaiveActivation[] = []
  readonly #outputs: StepOutput[] = []
  readonly #counters: Record<string, number> = {}
  #step = 0

  constructor(plan: Plan) {
    this.#plan = plan
  }

  run(steps: readonly Step[]): RunResult {
    for (const [index, step] of steps.entries()) {
      this.#step = index
      this.#apply(step)
    }
    return { outputs: this.#outputs, counters: this.#counters }
  }

  #apply(step: Step): void {
    switch (step.kind) {
      case 'readings':
        for (const line of linesOf(step.bytes)) this.#reading(line, step.appendTimeMs)
        break
      case 'events':
        for (const line of linesOf(step.bytes)) this.#event(line, step.appendTimeMs)
        break
      case 'heartbeat':
        for (const device of this.#devicesById()) this.#deadlines(device, step.appendTimeMs)
        break
      case 'activate': {
        for (const device of this.#devicesById()) this.#deadlines(device, step.appendTimeMs)
        const late = step.activeFromMs <= step.appendTimeMs
        this.#count('model_activations_total')
        if (late) this.#count('model_activations_late_total')
        const effectiveFromMs = late ? step.appendTimeMs + 1 : step.activeFromMs
        this.#activations.push({ ...step.model, effectiveFromMs })
        break
      }
      case 'end':
        for (const device of this.#devicesById()) {
          if (device.waiting !== null) this.#accept(device, device.waiting.reading, Number.NaN)
          device.waiting = null
          for (const window of device.windows)
            if (!window.closed && window.changed) this.#result(device, window, Number.NaN)
          device.windows = []
        }
        break
    }
  }

  #reading(line: Uint8Array, appendTimeMs: number): void {
    const { time, channels, cleaning } = this.#plan
    const decoded = decodeWithJsonParse(line, 0, line.length, {
      channels: channels.map(({ name }) => name),
      timestamp: time.timestamp,
    })
    if (decoded.kind === 'blank') return
    this.#count('readings_in_total')
    if (decoded.kind === 'refused') {
      this.#deadLetter(decoded.reason, decoded.deviceId)
      return
    }
    const device = this.#recordOf(decoded.deviceId, appendTimeMs)
    const timestampMs = time.timestamp === 'arrival' ? appendTimeMs : decoded.timestampMs
    if (timestampMs > appendTimeMs + time.maxClockAheadMs) {
      this.#deadLetter('future', device.id)
      return
    }
    const values = [...decoded.values]
    for (const rule of cleaning) {
      const channel = channels.findIndex(({ name }) => name === rule.channel)
      const value = values[channel] as number
      if (!(value < (rule.min ?? -Infinity) || value > (rule.max ?? Infinity))) continue
      this.#count(`${rule.onBad === 'drop' ? 'readings_dropped_total' : 'values_removed_total'}{rule="${rule.name}"}`)
      if (rule.onBad === 'drop') return
      values[channel] = Number.NaN
    }
    const reading = { timestampMs, values }
    if (time.timestamp === 'event') {
      const known = [...device.accepted, ...(device.waiting === null ? [] : [device.waiting.reading])]
      if (known.some((other) => sameReading(other, reading))) {
        this.#count('redelivered_total')
        return
      }
      if (device.waiting !== null) {
        const { reading: waiting } = device.waiting
        device.waiting = null
        if (Math.abs(timestampMs - waiting.timestampMs) <= time.maxJumpMs) {
          this.#accept(device, waiting, appendTimeMs)
          this.#accept(device, reading, appendTimeMs)
          return
        }
        this.#deadLetter('jump-not-confirmed', device.id)
      }
      if (Number.isFinite(device.clockMs) && timestampMs > device.clockMs + time.maxJumpMs) {
        device.waiting = { reading, line }
        return
      }
    }
    this.#accept(device, reading, appendTimeMs)
  }

  #accept(device: NaiveDevice, reading: NaiveReading, appendTimeMs: number): void {
    const { window, time } = this.#plan
    this.#count('readings_accepted_total')
    device.accepted = [...device.accepted, reading].slice(-limits.redeliveryReadings)
    device.clockMs = Math.max(device.clockMs, reading.timestampMs)
    this.#close(device, appendTimeMs)
    const t = reading.timestampMs
    if (window.kind === 'per-reading') {
      this.#result(device, { ...newWindow(t, t + 1), readings: [reading], changed: true }, appendTimeMs)
    } else if (window.kind === 'session') this.#addToSession(device, reading, window.gapMs)
    else {
      const slideMs = window.kind === 'tumbling' ? window.sizeMs : window.slideMs
      let missed = false
      for (let startMs = Math.floor(t / slideMs) * slideMs; startMs + window.sizeMs > t; startMs -= slideMs) {
        const endMs = startMs + window.sizeMs
        if (endMs + time.graceMs + time.allowedLatenessMs <= device.clockMs) {
          missed = true
          continue
        }
        let target = device.windows.find((open) => open.startMs === startMs)
        if (target === undefined) {
          target = newWindow(startMs, endMs)
          device.windows.push(target)
          device.windows.sort((a, b) => a.endMs - b.endMs)
        }
        target.readings.push(reading)
        target.changed = true
      }
      for (const target of device.windows) {
        if (!target.changed || target.endMs + time.graceMs > device.clockMs) continue
        target.closed = true
        this.#result(device, target, appendTimeMs)
      }
      if (missed) this.#late(device, reading)
    }
  }

  #addToSession(device: NaiveDevice, reading: NaiveReading, gapMs: number): void {
    const { graceMs } = this.#plan.time
    const t = reading.timestampMs
    const touched = device.windows.filter((open) => open.startMs < t + gapMs && open.endMs > t)
    if (touched.length === 0 && t + gapMs + graceMs <= device.clockMs) {
      this.#late(device, reading)
      return
    }
    const merged = newWindow(
      Math.min(t, ...touched.map((open) => open.startMs)),
      Math.max(t + gapMs, ...touched.map((open) => open.endMs)),
    )
    merged.readings = [...touched.flatMap((open) => open.readings), reading]
    merged.changed = true
    merged.results = Math.max(0, ...touched.map((open) => open.results))
    // One of its parts' results stays in the history until the merged session gives one itself; another's goes at once.
    const emittedStarts = touched.map((open) => open.emittedStartMs).filter((startMs) => startMs !== null)
    merged.emittedStartMs = emittedStarts[0] ?? null
    device.history = device.history.filter((entry) => !emittedStarts.slice(1).includes(entry.startMs))
    device.windows = [...device.windows.filter((open) => !touched.includes(open)), merged]
    device.windows.sort((a, b) => a.endMs - b.endMs)
  }

  #close(device: NaiveDevice, appendTimeMs: number): void {
    const { graceMs, allowedLatenessMs } = this.#plan.time
    for (const window of device.windows) {
      if (window.closed || window.endMs + graceMs > device.clockMs) continue
      window.closed = true
      if (window.changed) this.#result(device, window, appendTimeMs)
    }
    device.windows = device.windows.filter((window) => window.endMs + graceMs + allowedLatenessMs > device.clockMs)
  }

  #event(line: Uint8Array, appendTimeMs: number): void {
    const { time } = this.#plan
    const text = new TextDecoder().decode(line)
    if (text.trim() === '') return
    this.#count('device_events_in_total')
    const event = JSON.parse(text) as { deviceId: string; timestamp: number; type: string; detail?: string }
    const device = this.#recordOf(event.deviceId, appendTimeMs)
    if (event.timestamp > appendTimeMs + time.maxClockAheadMs) {
      this.#deadLetter('future', device.id)
      return
    }
    const { rules } = this.#plan.alert
    const wanted = JSON.stringify([this.#plan.features, rules?.mutes ?? []])
    if (
      ![`eventType`, `beginType`, `endType`].some((key) => wanted.includes(`"${key}":${JSON.stringify(event.type)}`))
    ) {
      this.#count('device_events_unused_total')
      return
    }
    const kept = { timestampMs: event.timestamp, type: event.type, detail: event.detail ?? '' }
    const same = device.events.some(
      (other) => other.timestampMs === kept.timestampMs && other.type === kept.type && other.detail === kept.detail,
    )
    if (same && time.timestamp === 'event') {
      this.#count('device_events_redelivered_total')
      return
    }
    device.events.push(kept)
    if (kept.timestampMs <= device.greatestEmittedEndMs) this.#count('device_events_late_total')
    if (rules === undefined) return
    const cause = naiveMuteBegun(rules, device.events, kept, device.clockMs)
    if (cause !== null) this.#endAlert(device, cause, Number.isNaN(appendTimeMs) ? kept.timestampMs : appendTimeMs)
  }

  #endAlert(device: NaiveDevice, cause: AlertCleared['cause'], at: number): void {
    const ended = naiveEnd(device.alert, cause, (name) => this.#count(name))
    if (ended === null) return
    const { id: deviceId } = device
    this.#emit('device-status', deviceId, { deviceId, kind: 'alert-cleared', at, cause, ...ended })
  }

  #recordOf(id: string, appendTimeMs: number): NaiveDevice {
    const known = this.#devices.get(id)
    if (known !== undefined) this.#deadlines(known, appendTimeMs)
    let device = this.#devices.get(id)
    if (device === undefined) {
      device = newNaiveDevice(id)
      this.#devices.set(id, device)
    }
    if (device.silent) {
      device.silent = false
      this.#count('devices_returned_total')
      this.#emit('device-status', id, { deviceId: id, kind: 'device-returned', at: appendTimeMs })
    }
    if (!Number.isNaN(appendTimeMs)) device.lastAppendMs = appendTimeMs
    return device
  }

  #deadlines(device: NaiveDevice, nowMs: number): void {
    const { silentAfterMs, forgetAfterMs } = this.#plan.time
    const silentAtMs = device.lastAppendMs + silentAfterMs
    if (!device.silent && silentAtMs <= nowMs) {
      for (const window of device.windows)
        if (!window.closed && window.changed) this.#result(device, window, silentAtMs)
      device.silent = true
      this.#count('devices_silent_total')
      this.#emit('device-status', device.id, { deviceId: device.id, kind: 'device-silent', at: silentAtMs })
    }
    const forgottenAtMs = device.lastAppendMs + forgetAfterMs
    const { rules } = this.#plan.alert
    const clearAfterMs = rules === undefined ? null : naivePolicy(rules, device.id).clearAfterMs
    const clearedAtMs = Math.max(silentAtMs, device.lastAppendMs + (clearAfterMs ?? Number.POSITIVE_INFINITY))
    if (clearedAtMs <= nowMs && clearedAtMs < forgottenAtMs) this.#endAlert(device, 'timed', clearedAtMs)
    if (forgottenAtMs <= nowMs) {
      this.#endAlert(device, 'forgotten', forgottenAtMs)
      if (device.waiting !== null) this.#deadLetter('jump-not-confirmed', device.id)
      this.#devices.delete(device.id)
      this.#count('devices_forgotten_total')
      this.#emit('device-status', device.id, { deviceId: device.id, kind: 'device-forgotten', at: forgottenAtMs })
    }
  }

  #result(device: NaiveDevice, window: NaiveWindow, closedAtMs: number): void {
    const { features, alert } = this.#plan
    const entry: NaiveEntry = { startMs: window.startMs, values: new Map() }
    const perReading = this.#plan.window.kind === 'per-reading'
    const before = (other: NaiveEntry): boolean =>
      other.startMs < window.startMs || (perReading && other.startMs === window.startMs)
    // Windows that can give several results are known in the history by their start.
    const replaced = perReading ? [] : [window.startMs, window.emittedStartMs]
    device.history = device.history.filter((other) => !replaced.includes(other.startMs))
    const history = device.history.filter(before)
    const context = { history, events: device.events, entry }
    const values = Object.fromEntries(
      features.map(({ name, node }) => {
        const value = naiveFeature(node, this.#plan, window, context)
        return [name, Number.isFinite(value) ? value : null]
      }),
    )
    device.history = [...history, entry, ...device.history.filter((other) => !before(other))].slice(-this.#historyMax())
    const replacesStartMs = window.emittedStartMs
    window.emittedStartMs = window.startMs
    window.changed = false
    const identity = { windowStart: window.startMs, windowEnd: window.endMs, revision: window.results }
    window.results += 1
    device.greatestEmittedEndMs = Math.max(device.greatestEmittedEndMs, window.endMs)
    this.#count(identity.revision === 0 ? 'windows_closed_total' : 'window_revisions_total')
    const { id: deviceId } = device
    const readingCount = window.readings.length
    this.#emit('device-features', deviceId, { deviceId, ...identity, readingCount, features: values })

    const model = this.#modelAt(closedAtMs)
    if (model === undefined) {
      this.#count('windows_unscored_total')
      return
    }
    const probability = Math.fround(model.probability)
    const policy = alert.rules === undefined ? null : naivePolicy(alert.rules, deviceId)
    const high = probability > ((policy === null ? alert : policy.levels[0])?.threshold ?? model.threshold)
    const muted = alert.rules === undefined ? null : naiveMute(alert.rules, device.events, window.startMs, window.endMs)
    const { startMs, endMs } = window
    const { revision } = identity
    const { threshold: modelThreshold } = model
    const scored = { startMs, endMs, revision, replacesStartMs, probability, modelThreshold, muted }
    const mark = policy === null ? null : naiveDecision(device.alert, policy, scored, (name) => this.#count(name))
    this.#count(high ? 'alerts_high_total' : 'alerts_normal_total')
    this.#emit('alert-signals', deviceId, {
      deviceId,
      // Scenarios use probabilities of few digits, which are the shortest text of their float32.
      probability: model.probability,
      status: high ? 'High risk of failure' : 'Normal',
      ...identity,
      model: { name: 'risk', version: model.version },
      features: values,
      ...(high
        ? {
            why: features
              .slice(0, alert.whyMax)
              .map(({ name }) => ({ feature: name, value: values[name] ?? null, contribution: 0 })),
          }
        : {}),
      ...(mark === null ? {} : { alert: mark }),
      ...(muted === null ? {} : { muted }),
    })
  }

  /** Windows of history that are kept: bounded where readings may be out of order without end, which the rules state. */
  #historyMax(): number {
    if (this.#plan.window.kind !== 'per-reading') return Number.POSITIVE_INFINITY
    const depths = JSON.stringify(this.#plan.features).matchAll(/"kind":"(lag|difference|rolling)".*?"windows":(\d+)/g)
    const lookBack = Math.max(
      1,
      ...[...depths].map(([, kind, windows]) => Number(windows) - (kind === 'rolling' ? 1 : 0)),
    )
    return lookBack + 16
  }

  #modelAt(closedAtMs: number): NaiveActivation | undefined {
    if (Number.isNaN(closedAtMs)) return this.#activations.at(-1)
    let newest: NaiveActivation | undefined
    for (const activation of this.#activations)
      if (
        activation.effectiveFromMs <= closedAtMs &&
        activation.effectiveFromMs >= (newest?.effectiveFromMs ?? -Infinity)
      )
        newest = activation
    return newest
  }

  #late(device: NaiveDevice, reading: NaiveReading): void {
    this.#count('late_readings_total')
    this.#emit('late-readings', device.id, {
      deviceId: device.id,
      timestamp: reading.timestampMs,
      deviceClock: device.clockMs,
      channels: Object.fromEntries(
        this.#plan.channels.map(({ name }, k) => {
          const value = reading.values[k] as number
          return [name, Number.isNaN(value) ? null : value]
        }),
      ),
    })
  }

  /** Only reason and device: message and bytes are for the product's own tests. */
  #deadLetter(reason: DeadLetterReason, deviceId: string | null): void {
    this.#count(`dead_letters_total{reason="${reason}"}`)
    this.#emit('dead-letters', deviceId, { reason, deviceId })
  }

  #emit(topic: OutputTopic, deviceId: string | null, message: object): void {
    this.#outputs.push({ topic, deviceId, line: JSON.stringify(message), step: this.#step })
  }

  #count(name: string): void {
    this.#counters[name] = (this.#counters[name] ?? 0) + 1
  }

  #devicesById(): NaiveDevice[] {
    return [...this.#devices.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  }
}

function newWindow(startMs: number, endMs: number): NaiveWindow {
  assert(endMs > startMs, 'a window has a length')
  return { startMs, endMs, readings: [], results: 0, changed: false, closed: false, emittedStartMs: null }
}

function sameReading(a: NaiveReading, b: NaiveReading): boolean {
  return a.timestampMs === b.timestampMs && a.values.every((value, k) => Object.is(value, b.values[k]))
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = []
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(10, start)
    const end = newline < 0 ? bytes.length : newline
    lines.push(bytes.subarray(start, end))
    start = end + 1
  }
  return lines
}
