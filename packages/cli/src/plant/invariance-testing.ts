import { createHash } from 'node:crypto'
import { cpSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { OutputTopic, Plan } from '@millwright/core'
import { outputTopics } from '@millwright/core'
import { type Engine, type EngineOptions, openEngine, openTopicReader } from '@millwright/engine'
import { createDoor, type Door, type HttpGateway, startHttpGateway } from '@millwright/gateways'
import { createReadingDecoder } from '@millwright/operators'
import { ingestFiles } from '../ingest/ingest-files.ts'
import { loadPackage } from '../models/load-package.ts'
import { buildOperator } from './build-operator.ts'

/**
 * Runs one history through the plant in any of the ways that must not matter: how it is cut into calls, bodies and files, on
 * how many partitions and threads, with what snapshots and restarts.
 */

/** What comes in at one moment, all with the same append time: that is part of the input, everything else is not. */
export interface Moment {
  readonly appendTimeMs: number
  /** Device events, before the readings. */
  readonly events: readonly string[]
  /** One character is one byte: malformed lines may be no text. */
  readonly readings: readonly string[]
  /** A model that is published before them. */
  readonly publish: { readonly package: Uint8Array; readonly activeFromMs: number } | null
}

/** One way to run a history. */
export interface Way {
  readonly mode: 'inline' | 'workers'
  readonly workerCount: number
  readonly partitionCount: number
  readonly intake: 'calls' | 'http' | 'file' | 'gzip'
  /** Decides where lines, bodies and chunks are cut, where heartbeats, snapshots and restarts fall. */
  readonly cutSeed: number
  /** Chances per moment. */
  readonly snapshotChance: number
  readonly restartChance: number
  readonly heartbeatChance: number
}

/** Per topic and device its records in order. What is compared. */
export type Outputs = ReadonlyMap<string, readonly string[]>

export interface RunResult {
  readonly outputs: Outputs
  /** Sums over partitions, without those that count what each partition sees. */
  readonly counters: Readonly<Record<string, number>>
}

/** A clock that stands where the history is. */
class HistoryClock {
  atMs = 0
  nowMs(): number {
    return this.atMs
  }
}

/** Runs a history to its end, and long enough after it that every silence has been noticed. */
export async function runHistory(plan: Plan, moments: readonly Moment[], way: Way, folder: string): Promise<RunResult> {
  let directory = join(folder, 'data')
  const clock = new HistoryClock()
  const chance = chances(way.cutSeed)
  const configPath = join(folder, 'millwright.config.ts')
  writeFileSync(configPath, `export default ${JSON.stringify(plan)}\n`)
  const open = (): Promise<Engine> => openEngine({ ...engineOptions(plan, way, clock, directory, configPath) })
  let engine = await open()
  let intake = await openIntake(plan, way, engine, folder, chance)
  try {
    for (const [i, moment] of moments.entries()) {
      clock.atMs = moment.appendTimeMs
      if (moment.publish !== null)
        await engine.publish(moment.publish.package, { activeFromMs: moment.publish.activeFromMs })
      await intake.take(moment, i)
      if (chance() < way.heartbeatChance) engine.tick()
      if (chance() < way.snapshotChance) await engine.snapshot()
      if (chance() < way.restartChance) {
        // Half of them as after a loss of power: what follows begins from a copy made before anything was tidied up.
        const copy = join(folder, `data-${i}`)
        const abrupt = chance() < 0.5
        await engine.drained()
        if (abrupt) cpSync(directory, copy, { recursive: true })
        await intake.close()
        await engine.close()
        if (abrupt) directory = copy
        engine = await open()
        intake = await openIntake(plan, way, engine, folder, chance)
      }
    }
    // A heartbeat gives way to what is being written.
    await engine.drained()
    clock.atMs += plan.time.silentAfterMs + 60_000
    engine.tick()
    await engine.drained()
    const { counters } = engine.stats()
    return { outputs: storedOutputs(directory), counters: comparable(counters) }
  } finally {
    await intake.close()
    await engine.close()
  }
}

function engineOptions(
  plan: Plan,
  way: Way,
  clock: HistoryClock,
  directory: string,
  configPath: string,
): EngineOptions {
  return {
    directory,
    partitionCount: way.partitionCount,
    identity: createHash('sha256').update(JSON.stringify(plan)).digest('hex'),
    operators:
      way.mode === 'inline'
        ? {
            mode: 'inline',
            createOperator: (_partition, sink) => buildOperator(plan, sink),
            loadModel: (_sha256, bytes) => loadPackage(bytes, plan),
          }
        : {
            mode: 'workers',
            module: new URL('./worker.ts', import.meta.url),
            workerData: { configPath },
            workerCount: way.workerCount,
          },
    validateModel: (bytes) => loadPackage(bytes, plan),
    retention: plan.retention,
    diskReserveBytes: 0,
    heartbeatEveryMs: 1000,
    clock,
    ticks: 'manual',
  }
}

/** Counters of readings and windows; activations are seen once per partition. */
function comparable(counters: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counters)
      .filter(([name, count]) => count !== 0 && !name.startsWith('model_activations'))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** Adds one record to what is compared. A device's refused lines come from two places: its own partition, and the door's. */
export function addOutput(outputs: Map<string, string[]>, topic: OutputTopic, key: string | null, value: string): void {
  const reason = topic === 'dead-letters' ? ` (${(JSON.parse(value) as { reason: string }).reason})` : ''
  const group = `${topic} of ${key ?? 'no device'}${reason}`
  const records = outputs.get(group)
  if (records === undefined) outputs.set(group, [value])
  else records.push(value)
}

function storedOutputs(directory: string): Outputs {
  const outputs = new Map<string, string[]>()
  for (const topic of outputTopics) {
    const reader = openTopicReader({ directory, topic })
    for (const { key, value } of reader) addOutput(outputs, topic, key, Buffer.from(value).toString())
    reader.close()
  }
  return outputs
}

/** The first thing in which two runs differ; `null` where they are equal. */
export function differenceOf(a: Outputs, b: Outputs): string | null {
  for (const group of new Set([...a.keys(), ...b.keys()])) {
    const [one, other] = [a.get(group) ?? [], b.get(group) ?? []]
    for (let i = 0; i < Math.max(one.length, other.length); i++)
      if (one[i] !== other[i]) return `${group}, record ${i}:\n${one[i] ?? 'none'}\n  and\n${other[i] ?? 'none'}`
  }
  return null
}

interface Intake {
  take(moment: Moment, index: number): Promise<void>
  close(): Promise<void>
}

async function openIntake(plan: Plan, way: Way, engine: Engine, folder: string, chance: () => number): Promise<Intake> {
  const devicesMax = 1000
  const channels = plan.channels.map(({ name }) => name)
  const decoder = createReadingDecoder({ channels, timestamp: plan.time.timestamp, devicesMax })
  const door = createDoor({ decoder, devicesMax, partitionCount: way.partitionCount })
  const gateway = way.intake === 'http' ? await openGateway(engine, door) : null
  return {
    async take({ events, readings }, index) {
      const cuts = cut(readings, chance)
      if (gateway !== null) {
        if (events.length > 0) await post(gateway, '/api/events', bytesOf(events, '\n'), chance)
        for (const lines of cuts) await post(gateway, '/api/readings', bytesOf(lines, lineEnd(chance)), chance)
        return
      }
      if (events.length > 0) await engine.append('device-events', door.deviceEvents(bytesOf(events, '\n')).parts)
      if (way.intake === 'calls') {
        // Not one after the other: what counts is the order of the calls.
        await Promise.all(
          cuts.map(async (lines) => {
            const admission = door.readings(bytesOf(lines, lineEnd(chance)))
            await engine.append('sensor-data', admission.parts)
            admission.release()
          }),
        )
        return
      }
      const files = cuts.map((lines, part) => {
        const path = join(folder, `moment-${index}-${part}.ndjson${way.intake === 'gzip' ? '.gz' : ''}`)
        const bytes = bytesOf(lines, lineEnd(chance))
        writeFileSync(path, way.intake === 'gzip' ? gzipSync(bytes) : bytes)
        return path
      })
      await ingestFiles({ plan, door, ingest: engine, files, onProgress: () => undefined })
    },
    close: async () => await gateway?.close(),
  }
}

async function openGateway(engine: Engine, door: Door): Promise<HttpGateway> {
  const notAsked = (): never => {
    throw new Error('only readings and events are sent')
  }
  return await startHttpGateway({
    host: '127.0.0.1',
    port: 0,
    door,
    ingest: engine,
    feedback: engine,
    verdictsUntilMs: notAsked,
    plant: { notReady: () => null, metrics: notAsked, status: notAsked },
    alerts: { ends: () => [], read: notAsked, subscribe: () => () => undefined },
    models: { list: notAsked, publish: notAsked, rollback: notAsked },
  })
}

/** Posts a body in pieces that end anywhere, also within a line or a character. */
function post({ port }: HttpGateway, path: string, body: Buffer, chance: () => number): Promise<void> {
  const zipped = chance() < 0.5
  const bytes = zipped ? gzipSync(body) : body
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/x-ndjson',
      ...(zipped ? { 'content-encoding': 'gzip' } : {}),
    }
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      answer.on('end', () =>
        answer.statusCode === 202 ? resolve() : reject(new Error(`answered ${answer.statusCode}: ${text}`)),
      )
    })
    sent.on('error', reject)
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + Math.floor(chance() * bytes.length)
      sent.write(bytes.subarray(at, end))
      at = end
    }
    sent.end()
  })
}

/** Cuts lines into runs: one, or up to about eight, some of them of one line. */
export function cut(lines: readonly string[], chance: () => number): string[][] {
  const parts: string[][] = []
  const meanLength = Math.ceil(lines.length / 8) + Math.floor(chance() * lines.length)
  for (let at = 0; at < lines.length; ) {
    const end = at + 1 + Math.floor(chance() * 2 * meanLength)
    parts.push(lines.slice(at, end))
    at = end
  }
  return parts
}

const lineEnd = (chance: () => number): string => (chance() < 0.2 ? '\r\n' : '\n')

export function bytesOf(lines: readonly string[], end: string): Buffer<ArrayBuffer> {
  return Buffer.from(lines.map((line) => line + end).join(''), 'latin1')
}

/** Seeded chance in [0, 1): a linear congruential generator, of which the high bits are used. */
export function chances(seed: number): () => number {
  let state = (seed ^ 0x5deece66) >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) / 16_777_216
  }
}
