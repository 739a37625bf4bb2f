import { createHash, createPublicKey, verify } from 'node:crypto'
import {
  appendTimesOffset,
  bufferBytes,
  bundleRecordsMax,
  frameContinued,
  frameControl,
  frameCounters,
  frameFailure,
  frameHeadBytes,
  frameKey,
  frameMore,
  frameOutput,
  frameRefusedKey,
  frameState,
  frameStateWrite,
  frameTimer,
  frameUnknownKey,
  type GuestConfiguration,
  type GuestFailure,
  type GuestFunctions,
  type HostFunctions,
  linesOffset,
  offsetsOffset,
  placePartitionBits,
  placesOffset,
  purposeEnd,
  purposeTimer,
} from '../bridge.ts'

/** One record of an input topic. */
export interface HostRecord {
  readonly input: number
  readonly partition: number
  readonly offset: number
  readonly appendTimeMs: number
  /** Without a newline. */
  readonly line: Uint8Array
}

export interface HostOutput {
  readonly topic: string
  readonly key: string | null
  readonly line: string
  /** Append time of what caused it; NaN where that has none. */
  readonly causeTimeMs: number
}

/** Hashes and signatures for a guest in Node. */
export const nodeHost: HostFunctions = {
  sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
  verifyEd25519: (publicKey, message, signature) => {
    const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey])
    return verify(null, message, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature)
  },
}

/** Thrown where a guest answers a failure. */
export class GuestFailedError extends Error {
  readonly failure: GuestFailure

  constructor(failure: GuestFailure) {
    super(failure.message)
    this.failure = failure
  }
}

/**
 * A host in TypeScript: does with a guest what the Java host does, with maps for Flink's state and timers. It is the bridge's
 * second reader, for tests.
 */
export class TestHost {
  readonly outputs: HostOutput[] = []
  /** Flink's keyed state. */
  readonly states = new Map<string, Uint8Array>()
  /** Flink's timers: key → times. */
  readonly timers = new Map<string, Set<number>>()
  /** Most timers that one key had at once. */
  timersPerKeyMax = 0
  readonly #guest: GuestFunctions
  readonly #configuration: GuestConfiguration
  readonly #input: ArrayBuffer
  readonly #result: ArrayBuffer
  #unknown: string[] = []
  readonly #keysMax: number
  /** Keys that have or may get a state. */
  readonly keys = new Set<string>()
  #counters: Record<string, number> = {}
  #parts: Uint8Array[] = []

  constructor(
    guest: GuestFunctions,
    configuration: GuestConfiguration,
    options: { readonly inputBytes?: number; readonly resultBytes?: number; readonly keysMax?: number } = {},
  ) {
    this.#guest = guest
    this.#configuration = configuration
    this.#keysMax = options.keysMax ?? Number.POSITIVE_INFINITY
    this.#input = new ArrayBuffer(options.inputBytes ?? bufferBytes)
    this.#result = new ArrayBuffer(options.resultBytes ?? bufferBytes)
    const json = new TextEncoder().encode(JSON.stringify(configuration))
    new Uint8Array(this.#input).set(json)
    this.#take(guest.open(this.#input, this.#result, json.length))
  }

  get input(): ArrayBuffer {
    return this.#input
  }

  /** Hands over records as one bundle. */
  bundle(records: readonly HostRecord[]): void {
    const length = this.#writeBundle(records)
    this.#take(this.#guest.prepare(records.length, length))
    // States overwrite nothing of the bundle at the Java host either: they go where the bundle is, which is written once more.
    if (this.#giveStates(true)) this.#writeBundle(records)
    this.#take(this.#guest.process(records.length, length))
  }

  control(records: readonly { key: string; value: Uint8Array; appendTimeMs: number; offset: number }[]): void {
    const frames = records.map(({ key, value, appendTimeMs, offset }) => {
      const keyBytes = new TextEncoder().encode(key)
      const head = new Uint8Array(22)
      const view = new DataView(head.buffer)
      view.setFloat64(0, appendTimeMs, true)
      view.setFloat64(8, offset, true)
      view.setUint16(20, keyBytes.length, true)
      return { kind: frameControl, payload: concat([head, keyBytes, value]) }
    })
    this.#give(frames, (byteLength) => this.#guest.control(byteLength))
  }

  /** Append time has come to `nowMs` in every partition. */
  watermark(nowMs: number): void {
    const due: string[] = []
    for (const [key, times] of this.timers)
      for (const time of [...times])
        if (time <= nowMs) {
          times.delete(time)
          due.push(key)
        }
    this.#act(due, purposeTimer, nowMs)
    this.#take(this.#guest.timeCame(nowMs))
  }

  /** Writes all changed states back, in slices. */
  checkpoint(sliceMax = 1000): void {
    for (;;) {
      const before = this.#stateWrites
      this.#take(this.#guest.writeBack(sliceMax))
      if (this.#stateWrites === before) return
    }
  }

  endOfInput(): void {
    this.checkpoint()
    this.#act([...this.states.keys()], purposeEnd, Number.NaN)
    this.checkpoint()
  }

  counters(): Record<string, number> {
    this.#take(this.#guest.counters())
    return this.#counters
  }

  #stateWrites = 0

  #act(keys: readonly string[], purpose: number, nowMs: number): void {
    for (let from = 0; from < keys.length; from += bundleRecordsMax) {
      const frames = keys.slice(from, from + bundleRecordsMax).map((key) => {
        return { kind: frameKey, payload: new TextEncoder().encode(key) }
      })
      this.#give(frames, (byteLength) => this.#guest.keys(byteLength, purpose))
      this.#giveStates(false)
      this.#take(this.#guest.act(nowMs))
    }
  }

  #writeBundle(records: readonly HostRecord[]): number {
    const appendTimes = new Float64Array(this.#input, appendTimesOffset, bundleRecordsMax)
    const offsets = new Float64Array(this.#input, offsetsOffset, bundleRecordsMax)
    const places = new Uint32Array(this.#input, placesOffset, bundleRecordsMax)
    const lines = new Uint8Array(this.#input, linesOffset)
    let at = 0
    for (const [i, { input, partition, offset, appendTimeMs, line }] of records.entries()) {
      appendTimes[i] = appendTimeMs
      offsets[i] = offset
      places[i] = (input << placePartitionBits) | partition
      lines.set(line, at)
      lines[at + line.length] = 10
      at += line.length + 1
    }
    return at
  }

  /** Gives the states that were asked for, of keys that may begin where they have none; returns whether there were any. */
  #giveStates(mayBegin: boolean): boolean {
    const unknown = this.#unknown
    this.#unknown = []
    const frames = unknown.map((key) => {
      const keyBytes = new TextEncoder().encode(key)
      if (mayBegin && !this.keys.has(key)) {
        if (this.keys.size >= this.#keysMax) return { kind: frameRefusedKey, payload: keyBytes }
        this.keys.add(key)
      }
      const head = new Uint8Array(2)
      new DataView(head.buffer).setUint16(0, keyBytes.length, true)
      return { kind: frameState, payload: concat([head, keyBytes, this.states.get(key) ?? new Uint8Array(0)]) }
    })
    if (frames.length > 0) this.#give(frames, (byteLength) => this.#guest.states(byteLength))
    return frames.length > 0
  }

  /** Writes frames into the input, as many as fit a call, the larger ones in parts. */
  #give(frames: readonly { kind: number; payload: Uint8Array }[], call: (byteLength: number) => number): void {
    const bytes = new Uint8Array(this.#input)
    const view = new DataView(this.#input)
    let at = 0
    for (const { kind, payload } of frames) {
      let from = 0
      do {
        if (at + frameHeadBytes + Math.min(1, payload.length - from) > bytes.length) {
          this.#take(call(at))
          at = 0
        }
        const count = Math.min(payload.length - from, bytes.length - at - frameHeadBytes)
        const whole = from + count === payload.length
        view.setUint32(at, whole ? kind : kind | frameContinued, true)
        view.setUint32(at + 4, count, true)
        bytes.set(payload.subarray(from, from + count), at + frameHeadBytes)
        at += frameHeadBytes + count
        from += count
      } while (from < payload.length)
    }
    this.#take(call(at))
  }

  /** Takes the frames of an answer, and those that did not fit. */
  #take(answer: number): void {
    let byteLength = answer
    for (let more = true; more; ) {
      more = false
      const view = new DataView(this.#result)
      for (let at = 0; at < byteLength; ) {
        const head = view.getUint32(at, true)
        const length = view.getUint32(at + 4, true)
        const payload = new Uint8Array(this.#result, at + frameHeadBytes, length).slice()
        at += frameHeadBytes + length
        if (head === frameMore) more = true
        else if ((head & frameContinued) !== 0) this.#parts.push(payload)
        else {
          this.#frame(head, concat([...this.#parts, payload]))
          this.#parts = []
        }
      }
      if (more) byteLength = this.#guest.more()
    }
  }

  #frame(kind: number, payload: Uint8Array): void {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
    const text = (from: number, to?: number): string => new TextDecoder().decode(payload.subarray(from, to))
    switch (kind) {
      case frameUnknownKey:
        this.#unknown.push(text(0))
        return
      case frameOutput: {
        const keyEnd = 11 + view.getUint16(9, true)
        const topic = this.#configuration.outputs[payload[0] as number] as string
        const key = keyEnd === 11 ? null : text(11, keyEnd)
        this.outputs.push({ topic, key, line: text(keyEnd), causeTimeMs: view.getFloat64(1, true) })
        return
      }
      case frameStateWrite: {
        const keyEnd = 2 + view.getUint16(0, true)
        const state = payload.slice(keyEnd)
        this.#stateWrites += 1
        if (state.length === 0) this.keys.delete(text(2, keyEnd))
        if (state.length === 0) this.states.delete(text(2, keyEnd))
        else this.states.set(text(2, keyEnd), state)
        return
      }
      case frameTimer: {
        const key = text(18)
        const times = this.timers.get(key) ?? new Set<number>()
        times.delete(view.getFloat64(8, true))
        times.add(view.getFloat64(0, true))
        this.timers.set(key, times)
        this.timersPerKeyMax = Math.max(this.timersPerKeyMax, times.size)
        return
      }
      case frameCounters:
        this.#counters = JSON.parse(text(0)) as Record<string, number>
        return
      case frameFailure:
        throw new GuestFailedError(JSON.parse(text(0)) as GuestFailure)
      default:
        throw new Error(`a guest must not answer a frame of kind ${kind}`)
    }
  }
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
