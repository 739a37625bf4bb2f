import {
  type Activation,
  type DeviceStateEntry,
  decodeUtf8,
  encodeUtf8,
  type LoadedModel,
  type OutputSink,
  type OutputTopic,
  type PartitionOperator,
  type SharedOperatorState,
} from '@millwright/core'

/**
 * A small operator for tests of the engine: running sums per device. It does everything an engine must get right, and
 * nothing more: outputs on every topic, several per record, some held back until `flush`; state per device; silence;
 * models; a record that makes it throw.
 *
 * A reading is `device value`. Every third of a device yields its sum twice on `device-features`; every fifth an alert
 * that names the model in force. An event `device reset` sets the sum to 0. Anything else is a dead letter. A device
 * silent for `silentAfterMs` of append time is told, on its next record or a heartbeat, whichever comes first.
 */
export class SumOperator implements PartitionOperator {
  readonly #sink: OutputSink
  readonly #silentAfterMs: number
  readonly #takenMax: number
  #devices = new Map<string, SumState>()
  #dirty = new Set<string>()
  #activations: Activation[] = []
  #appendClockMs: number | null = null
  #pending: { topic: OutputTopic; deviceId: string; inputOffset: number; line: string }[] = []
  #counters: Record<string, number> = { readings: 0, deadLetters: 0, events: 0, activations: 0 }

  /** @param options.takenMax Most devices that `takeDirty` gives at once, so that a snapshot has many pieces. */
  constructor(sink: OutputSink, options: { silentAfterMs?: number; takenMax?: number } = {}) {
    this.#sink = sink
    this.#silentAfterMs = options.silentAfterMs ?? 60_000
    this.#takenMax = options.takenMax ?? 2
  }

  get counters(): Readonly<Record<string, number>> {
    return this.#counters
  }

  get deviceCount(): number {
    return this.#devices.size
  }

  readings(bytes: Uint8Array, baseOffset: number, appendTimeMs: number): void {
    for (const [line, offset] of linesOf(bytes, baseOffset)) this.#reading(line, offset, appendTimeMs)
    this.#appendClockMs = appendTimeMs
  }

  deviceEvents(bytes: Uint8Array, baseOffset: number, appendTimeMs: number): void {
    for (const [line, offset] of linesOf(bytes, baseOffset)) {
      const [deviceId = '', what] = line.split(' ')
      const state = this.#devices.get(deviceId)
      if (what !== 'reset' || state === undefined) this.#refuse('device-events', line, offset)
      else {
        state.sum = 0
        this.#dirty.add(deviceId)
        this.#count('events')
      }
    }
    this.#appendClockMs = appendTimeMs
  }

  activate(activation: Activation): void {
    const inForce = this.#activations.findLastIndex(({ activeFromMs }) => activeFromMs <= activation.seenAtMs)
    this.#activations = [...this.#activations.slice(Math.max(inForce, 0)), activation]
    this.#count('activations')
  }

  heartbeat(appendTimeMs: number, offset: number): void {
    for (const deviceId of [...this.#devices.keys()].sort()) this.#tellSilence(deviceId, offset, appendTimeMs)
    this.#appendClockMs = appendTimeMs
  }

  endOfInput(): void {
    this.flush()
  }

  flush(): void {
    const pending = this.#pending
    this.#pending = []
    for (const { topic, deviceId, inputOffset, line } of pending) this.#sink.emit(topic, deviceId, inputOffset, line)
  }

  input(): Uint8Array {
    throw new Error('the engine reads frames, not files')
  }

  readingsInput(): void {
    throw new Error('the engine reads frames, not files')
  }

  takeDirty(max = Number.POSITIVE_INFINITY): DeviceStateEntry[] {
    return [...this.#dirty].slice(0, Math.min(max, this.#takenMax)).map((deviceId) => {
      const state = this.#devices.get(deviceId)
      this.#dirty.delete(deviceId)
      return { deviceId, state: state === undefined ? null : encodeUtf8(JSON.stringify(state)) }
    })
  }

  restore({ deviceId, state }: DeviceStateEntry): void {
    if (state !== null) this.#devices.set(deviceId, JSON.parse(decodeUtf8(state) ?? '') as SumState)
  }

  takeShared(): SharedOperatorState {
    return {
      appendClockMs: this.#appendClockMs,
      activations: this.#activations.map(({ model, activeFromMs, seenAtMs }) => ({
        name: model.name,
        version: model.version,
        sha256: model.sha256,
        activeFromMs,
        seenAtMs,
      })),
      counters: { ...this.#counters },
    }
  }

  restoreShared(state: SharedOperatorState, loadModel: (sha256: string) => LoadedModel): void {
    this.#appendClockMs = state.appendClockMs
    this.#activations = state.activations.map(({ sha256, activeFromMs, seenAtMs }) => ({
      model: loadModel(sha256),
      activeFromMs,
      seenAtMs,
    }))
    this.#counters = { ...state.counters }
  }

  #reading(line: string, offset: number, appendTimeMs: number): void {
    if (line === '') return
    const [deviceId = '', text = '', ...more] = line.split(' ')
    const value = Number(text)
    if (deviceId === '' || text === '' || more.length > 0 || !Number.isFinite(value)) {
      this.#refuse('sensor-data', line, offset)
      return
    }
    if (value === poison) throw new Error(`no sum takes ${poison}`)
    this.#tellSilence(deviceId, offset, appendTimeMs)
    const state = this.#devices.get(deviceId) ?? { sum: 0, count: 0, seenAtMs: appendTimeMs, silent: false }
    this.#devices.set(deviceId, {
      sum: state.sum + value,
      count: state.count + 1,
      seenAtMs: appendTimeMs,
      silent: false,
    })
    this.#dirty.add(deviceId)
    this.#count('readings')
    this.#tellSums(deviceId, offset, appendTimeMs)
  }

  #tellSums(deviceId: string, offset: number, appendTimeMs: number): void {
    const { sum, count } = this.#devices.get(deviceId) as SumState
    if (count % 3 === 0)
      for (const half of [1, 2])
        this.#sink.emit('device-features', deviceId, offset, JSON.stringify({ deviceId, count, sum, half }))
    if (count % 5 !== 0) return
    const model = this.#activations.findLast(({ activeFromMs }) => activeFromMs <= appendTimeMs)?.model
    const line = JSON.stringify({ deviceId, count, sum, model: model?.version ?? null })
    this.#pending.push({ topic: 'alert-signals', deviceId, inputOffset: offset, line })
  }

  #tellSilence(deviceId: string, offset: number, appendTimeMs: number): void {
    const state = this.#devices.get(deviceId)
    const deadlineMs = (state?.seenAtMs ?? Number.POSITIVE_INFINITY) + this.#silentAfterMs
    if (state === undefined || state.silent || appendTimeMs < deadlineMs) return
    this.#devices.set(deviceId, { ...state, silent: true })
    this.#dirty.add(deviceId)
    const line = JSON.stringify({ deviceId, kind: 'device-silent', at: deadlineMs })
    this.#sink.emit('device-status', deviceId, offset, line)
  }

  #refuse(topic: string, line: string, offset: number): void {
    this.#count('deadLetters')
    this.#sink.emit('dead-letters', null, offset, JSON.stringify({ topic, bytes: line }))
  }

  #count(name: string): void {
    this.#counters[name] = (this.#counters[name] ?? 0) + 1
  }
}

/** A value that makes the operator throw. */
export const poison = 666_666

interface SumState {
  sum: number
  count: number
  seenAtMs: number
  silent: boolean
}

/** Lines with their offsets; an empty line in between has one too. */
function linesOf(bytes: Uint8Array, baseOffset: number): [string, number][] {
  const lines = (decodeUtf8(bytes) ?? '?').split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line, index) => [line, baseOffset + index])
}

/** A package of the tests: its bytes are a JSON text that names it. */
export function testPackage(version: string, padding = ''): Uint8Array {
  return encodeUtf8(JSON.stringify({ name: 'sums', version, padding }))
}

/** Loads a {@link testPackage}. */
export function loadTestModel(sha256: string, bytes: Uint8Array): LoadedModel {
  const { name, version } = JSON.parse(decodeUtf8(bytes) ?? '') as { name: string; version: string }
  const scorer = { featureCount: 0, score: () => undefined, contributions: () => new Float32Array(1) }
  return { name, version, sha256, threshold: 0.8, featureNames: [], scorer }
}
