import {
  assert,
  decodeUtf8,
  encodeBase64,
  limits,
  type OutputTopic,
  type Plan,
  type ReadingDecoder,
  type TopicName,
  topicNames,
} from '@millwright/core'
import {
  createHostedOperator,
  createReadingDecoder,
  decodeDeviceEvent,
  type HostedOperator,
  type HostedOperatorOptions,
} from '@millwright/operators'
import {
  appendTimesOffset,
  bridgeVersion,
  bufferBytes,
  bundleRecordsMax,
  frameControl,
  frameCounters,
  frameFailure,
  frameKey,
  frameOutput,
  frameRefusedKey,
  frameState,
  frameStateWrite,
  frameTimer,
  frameUnknownKey,
  type GuestAtHand,
  type GuestConfiguration,
  type GuestFailure,
  type GuestFunctions,
  type HostFunctions,
  linesOffset,
  offsetsOffset,
  placePartitionBits,
  placesOffset,
  projectCallsOffset,
  purposeEnd,
  purposeTimer,
} from '../bridge.ts'
import { type DecodedBatch, DecodedRows } from './decoded-rows.ts'
import { FrameReader } from './frame-reader.ts'
import { FrameWriter } from './frame-writer.ts'
import { hostCrypto } from './host-crypto.ts'
import { ModelTopic } from './model-topic.ts'
import { PayloadReader, PayloadWriter, textOf } from './payloads.ts'
import { Recency } from './recency.ts'
import { placesInSources } from './stack-places.ts'

/** The name that the host runs the script under. */
export const scriptName = 'guest.js'

const newline = 10

/** A message that waits for the end of the call. */
interface Message {
  readonly topic: OutputTopic
  readonly deviceId: string | null
  readonly line: string
  /** Append time of what caused it; NaN where that has none. */
  readonly causeTimeMs: number
}

/** Records of one bundle that follow one another and come from topics of one kind. */
interface Run {
  readonly topic: TopicName
  readonly first: number
  readonly end: number
  readonly bytes: Uint8Array
}

/** Shapes of the states that a guest finds: its plan's own as the deployment sees it, and those of the plans before. */
export type GuestStates = Pick<HostedOperatorOptions, 'shape' | 'earlierShapes'>

/**
 * The functions of a guest, around a plan: decodes bundles, holds devices, hands their states back.
 *
 * G1. Between two calls no message, timer or model is pending: what a call brings about is in its answer.
 * G2. A device's changes are here or at the host, never nowhere: it is let go of only when its state was handed over.
 * G3. At most `cacheKeysMax` devices are held between two calls, and at most `dirtyKeysMax` of them are changed and not handed over.
 * G4. What is thrown is answered as a failure; after one the guest is not to be called again.
 * G5. A call that the host ended goes on where it was, without the record or timer at which a project's function did not come back. Frames are
 *     written when all else is done, so none was.
 */
export function createGuest(plan: Plan, host: HostFunctions, states: GuestStates = {}): GuestFunctions {
  let guest: Guest | null = null
  const opened = (): Guest => {
    assert(guest !== null, 'a guest is opened before it is used')
    return guest
  }
  return {
    version: () => bridgeVersion,
    open: (input, result, byteLength) => {
      guest = new Guest(plan, host, states, input, result)
      return guest.answer((open) => open.open(byteLength))
    },
    control: (byteLength) => opened().answer((it) => it.control(byteLength)),
    prepare: (recordCount, lineBytes) => opened().answer((it) => it.prepare(recordCount, lineBytes)),
    keys: (byteLength, purpose) => opened().answer((it) => it.keys(byteLength, purpose)),
    states: (byteLength) => opened().answer((it) => it.states(byteLength)),
    process: (recordCount, lineBytes) => opened().answer((it) => it.process(recordCount, lineBytes)),
    act: (nowMs) => opened().answer((it) => it.act(nowMs)),
    timeCame: (nowMs) => opened().answer((it) => it.timeCame(nowMs)),
    writeBack: (countMax) => opened().answer((it) => it.writeBack(countMax)),
    counters: () => opened().answer((it) => it.counters()),
    resume: (why) => opened().answer((it) => it.resume(why)),
    atHand: () => JSON.stringify(opened().atHand()),
    more: () => opened().more(),
    explain: (stack, sourceMap) => placesInSources(stack, sourceMap, scriptName),
  }
}

class Guest {
  readonly #plan: Plan
  readonly #states: GuestStates
  readonly #host: HostFunctions
  readonly #input: Uint8Array
  readonly #appendTimes: Float64Array
  readonly #offsets: Float64Array
  readonly #places: Uint32Array
  /** How often a project's function was called and came back, for the host to see. */
  readonly #projectCalls: Uint32Array
  readonly #frames: FrameWriter
  readonly #frameReader: FrameReader
  readonly #payload = new PayloadWriter()
  readonly #messages: Message[] = []
  readonly #recency = new Recency()
  /** Devices whose states the host was asked for in the call before. */
  readonly #wanted = new Set<number>()
  /** Of those, the ones that the host has no room for: no record of the bundle begins them. */
  readonly #refused = new Set<number>()
  /** Keys of the last `keys`, as devices. */
  #acting: number[] = []
  #purpose = purposeTimer
  /** Append time of what is under way; `null` while a bundle is, whose records have each its own. */
  #timeAtHandMs: number | null = null
  /** The call under way that runs a project's functions; goes on from here when the host has ended it (G5). */
  #work: { readonly from: (first: number) => void; next: number } | null = null
  #forgotten: number[] = []
  #models: ModelTopic | null = null
  #refusedUpdateCount = 0
  #configuration: GuestConfiguration | null = null
  #decoder: ReadingDecoder | null = null
  #operator: HostedOperator | null = null
  /** Of the bundle of the last `prepare`. */
  #decoded = new DecodedRows(0)
  readonly #writeState = (device: number, state: Uint8Array, askedForMs: number): void => {
    this.#frames.frame(
      frameStateWrite,
      this.#payload.begin().key(this.#id(device)).float64(askedForMs).bytes(state).end(),
    )
  }

  constructor(plan: Plan, host: HostFunctions, states: GuestStates, input: ArrayBuffer, result: ArrayBuffer) {
    this.#plan = plan
    this.#states = states
    this.#host = host
    this.#input = new Uint8Array(input)
    this.#appendTimes = new Float64Array(input, appendTimesOffset, bundleRecordsMax)
    this.#offsets = new Float64Array(input, offsetsOffset, bundleRecordsMax)
    this.#places = new Uint32Array(input, placesOffset, bundleRecordsMax)
    const framesEnd = result.byteLength - (bufferBytes - projectCallsOffset)
    this.#projectCalls = new Uint32Array(result, framesEnd, 1)
    this.#frames = new FrameWriter(result, framesEnd)
    this.#frameReader = new FrameReader(input)
  }

  /** Lets `act` write frames; answers a failure where it throws (G4). */
  answer(act: (guest: Guest) => void): number {
    this.#frames.begin()
    try {
      act(this)
    } catch (error) {
      this.#frames.clear()
      this.#frames.frame(
        frameFailure,
        this.#payload
          .begin()
          .text(JSON.stringify(this.#failure(error)))
          .end(),
      )
    }
    return this.#frames.finish()
  }

  more(): number {
    this.#frames.more()
    return this.#frames.finish()
  }

  open(byteLength: number): void {
    const configuration = JSON.parse(textOf(this.#input.subarray(0, byteLength))) as GuestConfiguration
    for (const topic of configuration.inputs)
      assert(
        topic === 'sensor-data' || topic === 'device-events',
        `"${topic}" is no topic of readings or device events`,
      )
    assert(
      topicNames.some((topic) => configuration.outputs.includes(topic)),
      'a guest has topics to write to',
    )
    this.#configuration = configuration
    const { channels, time } = this.#plan
    const decoder = createReadingDecoder({
      channels: channels.map(({ name }) => name),
      timestamp: time.timestamp,
      // Those that are held, and those that one call may bring.
      devicesMax: configuration.cacheKeysMax + bundleRecordsMax,
    })
    const sink = {
      emit: (topic: OutputTopic, deviceId: string | null, offset: number, line: string): void => {
        const causeTimeMs = this.#timeAtHandMs ?? (this.#appendTimes[offset] as number)
        this.#messages.push({ topic, deviceId, line, causeTimeMs })
      },
      retract: (count: number): void => {
        this.#messages.length -= count
      },
    }
    const operator = createHostedOperator({
      plan: this.#plan,
      decoder,
      sink,
      onProjectCall: (isUnderWay) => this.#countProjectCall(isUnderWay),
      hasRoom: (device) => !this.#refused.has(device),
      ...this.#states,
    })
    this.#decoder = decoder
    this.#decoded = new DecodedRows(channels.length)
    this.#operator = operator
    this.#models = new ModelTopic({
      plan: this.#plan,
      crypto: hostCrypto(this.#host),
      announce: (activation) => operator.announce(activation),
      refuse: ({ message, record }) => {
        this.#refusedUpdateCount += 1
        // Every guest sees every update; one tells of it.
        if (configuration.subtask !== 0) return
        const kept = record.subarray(0, limits.deadLetterBytesMax)
        const text = decodeUtf8(kept)
        const line = JSON.stringify({
          reason: 'model-refused',
          message,
          topic: 'model-updates',
          deviceId: null,
          bytes: text ?? encodeBase64(kept),
          encoding: text === null ? 'base64' : 'utf-8',
          byteLength: record.length,
        })
        const causeTimeMs = this.#timeAtHandMs ?? Number.NaN
        this.#messages.push({ topic: 'dead-letters', deviceId: null, line, causeTimeMs })
      },
    })
  }

  control(byteLength: number): void {
    const models = this.#models
    assert(models !== null, 'a guest is opened before it takes control records')
    this.#frameReader.read(byteLength, (kind, payload) => {
      assert(kind === frameControl, 'control records are wanted')
      const reader = new PayloadReader(payload)
      const appendTimeMs = reader.float64()
      // Where it stands in its log is the host's to know.
      reader.float64()
      reader.uint32()
      this.#timeAtHandMs = appendTimeMs
      models.take({ key: reader.key(), value: reader.rest(), appendTimeMs })
    })
    this.#writeMessages()
  }

  prepare(recordCount: number, lineBytes: number): void {
    this.#recency.begin()
    this.#wanted.clear()
    this.#decoded.clear()
    for (const run of this.#runs(recordCount, lineBytes)) {
      if (run.topic === 'sensor-data') this.#decode(run)
      else this.#lookAtEvents(run.bytes)
    }
    this.#askForWanted()
  }

  keys(byteLength: number, purpose: number): void {
    const decoder = this.#decoderOf()
    assert(purpose === purposeTimer || purpose === purposeEnd, 'keys are for timers or for the end')
    this.#recency.begin()
    this.#wanted.clear()
    this.#purpose = purpose
    this.#acting = []
    this.#frameReader.read(byteLength, (kind, payload) => {
      assert(kind === frameKey, 'keys are wanted')
      const device = decoder.deviceIndex(textOf(payload))
      assert(device >= 0, 'the directory has room for the keys of a call')
      this.#look(device)
      this.#acting.push(device)
    })
    this.#askForWanted()
  }

  states(byteLength: number): void {
    const operator = this.#operatorOf()
    this.#frameReader.read(byteLength, (kind, payload) => {
      if (kind === frameRefusedKey) {
        this.#refused.add(this.#decoderOf().deviceIndex(textOf(payload)))
        return
      }
      assert(kind === frameState, 'states are wanted')
      const reader = new PayloadReader(payload)
      const key = reader.key()
      const state = reader.rest()
      if (state.length === 0) return
      const asked = new DataView(state.buffer, state.byteOffset, state.byteLength).getFloat64(0, true)
      operator.restore(key, state.subarray(8), asked)
    })
  }

  process(recordCount: number, lineBytes: number): void {
    this.#timeAtHandMs = null
    this.#do((first) => this.#processFrom(first, recordCount, lineBytes))
  }

  act(nowMs: number): void {
    this.#forgotten = []
    this.#timeAtHandMs = nowMs
    this.#do((first) => this.#actFrom(first, nowMs))
  }

  resume(why: string): void {
    const work = this.#work
    const record = this.#operatorOf().offsetAtHand
    const abandoned = this.#operatorOf().abandon(why)
    assert(work !== null && abandoned !== null, 'a project function was under way in the call that was ended')
    this.#countProjectCall(false)
    if (abandoned === 'record') work.next = record + 1
    work.from(work.next)
    this.#work = null
  }

  atHand(): GuestAtHand {
    const call = this.#operator?.callAtHand ?? null
    return {
      ...this.#recordAtHand(),
      where: call?.where ?? null,
      functionText: call === null ? null : String(call.compute),
    }
  }

  /** Odd while one is under way, whatever came before: a call that was ended left it odd. */
  #countProjectCall(isUnderWay: boolean): void {
    this.#projectCalls[0] = ((this.#projectCalls[0] as number) & ~1) + (isUnderWay ? 3 : 2)
  }

  #do(from: (first: number) => void): void {
    this.#work = { from, next: 0 }
    from(0)
    this.#work = null
  }

  /** Processes the bundle's records from one on, and ends the call. */
  #processFrom(from: number, recordCount: number, lineBytes: number): void {
    const operator = this.#operatorOf()
    const decoded = this.#decoded.batches
    let next = 0
    for (const { topic, first, end, bytes } of this.#runs(recordCount, lineBytes)) {
      if (topic === 'sensor-data')
        for (; next < decoded.length && (decoded[next] as DecodedBatch).first < end; next++) {
          const { first: row, batch } = decoded[next] as DecodedBatch
          const rowEnd = row + batch.rowCount
          // One that was ended at its last row is not counted yet.
          if (rowEnd < from) continue
          operator.readings(batch, row, this.#appendTimes.subarray(row, rowEnd), Math.max(0, from - row))
        }
      else if (end > from)
        forEachLine(bytes, (line, index) => {
          if (first + index >= from)
            operator.deviceEvent(line, first + index, this.#appendTimes[first + index] as number)
        })
    }
    this.#decoded.clear()
    // The host counts a device from when its state was asked for: one that did not begin is given back.
    const notBegun = [...this.#wanted].filter((device) => !operator.holds(device) && !this.#refused.has(device))
    for (const device of notBegun)
      this.#frames.frame(frameStateWrite, this.#payload.begin().key(this.#id(device)).end())
    this.#finish()
    this.#refused.clear()
  }

  /** Acts on the keys from one on, and ends the call. */
  #actFrom(from: number, nowMs: number): void {
    const operator = this.#operatorOf()
    for (let i = from; i < this.#acting.length; i++) {
      const device = this.#acting[i] as number
      if (this.#work !== null) this.#work.next = i + 1
      // A key without a state is one that was forgotten since.
      if (!operator.holds(device)) continue
      if (this.#purpose === purposeEnd) operator.endOfInput(device, 0)
      else if (operator.timerCame(device, nowMs, 0)) this.#forgotten.push(device)
    }
    operator.flush()
    for (const device of this.#forgotten)
      this.#frames.frame(frameStateWrite, this.#payload.begin().key(this.#id(device)).end())
    for (const device of this.#forgotten) this.#wanted.add(device)
    for (const device of this.#acting) this.#wanted.add(device)
    this.#acting = []
    this.#finish()
  }

  timeCame(nowMs: number): void {
    this.#operatorOf().timeCame(nowMs)
  }

  writeBack(countMax: number): void {
    this.#operatorOf().writeBackOldest(countMax, this.#writeState)
  }

  counters(): void {
    const operator = this.#operatorOf()
    const counters = {
      ...operator.counters,
      devices_held: operator.deviceCount,
      model_updates_refused_total: this.#refusedUpdateCount,
      model_updates_waiting: this.#models?.waitingCount ?? 0,
    }
    this.#frames.frame(frameCounters, this.#payload.begin().text(JSON.stringify(counters)).end())
  }

  /** Ends a call that may have changed devices: hands over what came out, and lets go of what is too much. */
  #finish(): void {
    const operator = this.#operatorOf()
    operator.flush()
    this.#writeMessages()
    for (const { device, atMs, insteadOfMs } of operator.takeTimerRequests())
      this.#frames.frame(
        frameTimer,
        this.#payload.begin().float64(atMs).float64(insteadOfMs).key(this.#id(device)).end(),
      )
    // A device that was wanted and is not there after all leaves no trace.
    const absent = [...this.#wanted].filter((device) => !operator.holds(device))
    for (const device of absent) this.#recency.drop(device)
    this.#decoderOf().forget(Int32Array.from(absent))
    this.#wanted.clear()
    this.#evict()
    const { dirtyKeysMax } = this.#configurationOf()
    const dirtyCount = operator.writeBackOldest(0, this.#writeState)
    if (dirtyCount > dirtyKeysMax) operator.writeBackOldest(dirtyCount - dirtyKeysMax, this.#writeState)
  }

  #evict(): void {
    const operator = this.#operatorOf()
    const { cacheKeysMax } = this.#configurationOf()
    if (operator.deviceCount <= cacheKeysMax) return
    // An eighth more than is needed, so that finding the oldest is rare.
    const evicted = this.#recency.oldest(operator.deviceCount - Math.floor((cacheKeysMax * 7) / 8))
    for (const device of evicted) {
      operator.writeBack(device, this.#writeState)
      operator.evict(device)
      this.#recency.drop(device)
    }
    this.#decoderOf().forget(Int32Array.from(evicted))
  }

  #writeMessages(): void {
    const { outputs } = this.#configurationOf()
    for (const { topic, deviceId, line, causeTimeMs } of this.#messages) {
      const index = outputs.indexOf(topic)
      assert(index >= 0, `the host was told where messages of "${topic}" go`)
      const payload = this.#payload.begin().uint8(index).float64(causeTimeMs).key(deviceId).text(line).end()
      this.#frames.frame(frameOutput, payload)
    }
    this.#messages.length = 0
  }

  /** Decodes a run of readings, once for both calls, and looks at their devices. */
  #decode({ first, end, bytes }: Run): void {
    let row = first
    let at = 0
    this.#decoderOf().decode(bytes, (batch) => {
      for (let i = 0; i < batch.rowCount; i++) {
        const device = batch.device[i] as number
        if (device >= 0) this.#look(device)
      }
      at = this.#decoded.add(batch, row, bytes, at)
      row += batch.rowCount
    })
    assert(row === end, 'each record of a bundle is one line')
  }

  #lookAtEvents(bytes: Uint8Array): void {
    forEachLine(bytes, (line) => {
      const event = decodeDeviceEvent(line, 0, line.length)
      if (event.kind === 'event') this.#look(this.#decoderOf().deviceIndex(event.deviceId))
    })
  }

  #look(device: number): void {
    this.#recency.use(device)
    if (!this.#operatorOf().holds(device)) this.#wanted.add(device)
  }

  #askForWanted(): void {
    for (const device of this.#wanted)
      this.#frames.frame(frameUnknownKey, this.#payload.begin().text(this.#id(device)).end())
  }

  /** Cuts the bundle where the kind of topic changes. */
  *#runs(recordCount: number, lineBytes: number): Generator<Run> {
    const lines = this.#input.subarray(linesOffset, linesOffset + lineBytes)
    let start = 0
    for (let first = 0; first < recordCount; ) {
      const topic = this.#topicOf(first)
      let end = first + 1
      while (end < recordCount && this.#topicOf(end) === topic) end += 1
      let next = lines.length
      if (end < recordCount) {
        next = start
        for (let i = first; i < end; i++) next = lines.indexOf(newline, next) + 1
      }
      yield { topic, first, end, bytes: lines.subarray(start, next) }
      start = next
      first = end
    }
  }

  #topicOf(record: number): TopicName {
    const topic = this.#configurationOf().inputs[(this.#places[record] as number) >>> placePartitionBits]
    assert(topic !== undefined, 'a place names an input topic')
    return topic as TopicName
  }

  #failure(error: unknown): GuestFailure {
    return {
      name: error instanceof Error ? error.name : 'Error',
      message: error instanceof Error ? error.message : String(error),
      stack: error instanceof Error ? String(error.stack) : '',
      ...this.#recordAtHand(),
    }
  }

  #recordAtHand(): Pick<GuestFailure, 'topic' | 'partition' | 'offset'> {
    const record = this.#operator?.offsetAtHand ?? Number.NaN
    if (!Number.isInteger(record) || record >= bundleRecordsMax) return { topic: null, partition: null, offset: null }
    const place = this.#places[record] as number
    return {
      topic: this.#configuration?.inputs[place >>> placePartitionBits] ?? null,
      partition: place & ((1 << placePartitionBits) - 1),
      offset: this.#offsets[record] as number,
    }
  }

  #id(device: number): string {
    return this.#decoderOf().deviceId(device)
  }

  #decoderOf(): ReadingDecoder {
    assert(this.#decoder !== null, 'a guest is opened before it is used')
    return this.#decoder
  }

  #operatorOf(): HostedOperator {
    assert(this.#operator !== null, 'a guest is opened before it is used')
    return this.#operator
  }

  #configurationOf(): GuestConfiguration {
    assert(this.#configuration !== null, 'a guest is opened before it is used')
    return this.#configuration
  }
}

/** Calls `take` for each line, without its newline. */
function forEachLine(bytes: Uint8Array, take: (line: Uint8Array, index: number) => void): void {
  let index = 0
  for (let start = 0; start < bytes.length; index++) {
    const end = bytes.indexOf(newline, start)
    take(bytes.subarray(start, end), index)
    start = end + 1
  }
}

assert(limits.lineBytesMax + 1 < 4 * 1024 * 1024, 'the longest line that is looked into fits a bundle')
