/**
 * Proof: models with opposite answers are published again and again while readings flow as fast as they are taken. No window
 * is lost, doubled, or scored by another version than the log says; memory stays flat; packages of many hostile kinds are
 * refused with nothing changed.
 *
 * What the log says is found out independently: by its bytes (`support/stored-frames.ts`), by the reading that closes each
 * window, and by the rule of activation, in force from `max(activeFrom, just after it was seen)`.
 *
 *   node scripts/proofs/swap.ts [--swaps 200]
 */

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import type { ModelUpdate } from '@millwright/core'
import { percentile } from '../../bench/measure.ts'
import { type PlantProcess, processed, statusOf } from '../../bench/plant-process.ts'
import { askPlant } from '../../packages/cli/src/control/control-client.ts'
import { hostilePackages } from './support/hostile-packages.ts'
import { liveMemoryBytes, liveMemoryWrapper } from './support/live-memory.ts'
import { startLoadThread } from './support/load-thread.ts'
import { proofPackage } from './support/packages.ts'
import { numberArgument, type Proof, prove } from './support/proof.ts'
import { post, startProofPlant, writeProofProject } from './support/proof-plant.ts'
import {
  partitionsOf,
  type StoredUpdate,
  storedActivations,
  storedOutputs,
  storedReadings,
  storedUpdates,
} from './support/stored-frames.ts'
import { type InForce, inForceByRule, SwapAudit } from './support/swap-audit.ts'
import type { SwapLoad, SwapLoadResult } from './support/swap-load.ts'

/** How far ahead a model is put in force, milliseconds: time for every partition to have it. */
const aheadMs = 50
/** Of all swaps: by HTTP, where the plant itself says from when; and with a moment that has passed already. */
const everyNthByHttp = 20
const everyNthLate = 10
const deviceCount = 32

/** How often it is asked what is alive: after every so manieth swap. */
const everyNthAlive = 5
/**
 * What is alive may grow by so much for each swap, bytes, from the middle fifth of the swaps to the last one. Seen: 277 kB where
 * replaced models are kept. A plant fills its tables and caches in its first dozen seconds: 8 MB, which the middle fifth has behind it.
 */
const growthPerSwapMax = 80_000
/** Trees that change no answer: they make a package a tenth of a megabyte. */
const idleTreeCount = 200

interface Swap {
  readonly version: string
  readonly how: 'ahead' | 'http' | 'late'
  readonly publishedAtMs: number
  readonly activeFromMs: number
  firstAlertAtMs: number
}

await prove('swap', 1200, async (proof) => {
  const swapCount = numberArgument('swaps', 200)
  const project = writeProofProject(join(proof.folder, 'project'), proofPackage('swap-0', true))
  const data = join(proof.folder, 'data')
  const plant = await startProofPlant(proof, project, data, [], liveMemoryWrapper())
  const load = startLoad(proof, { url: plant.url, deviceCount, startMs: Date.now() - 20 * 3_600_000 })
  const alerts = watchAlerts(proof, plant.url)
  const { swaps, aliveBytes } = await swapModels({ proof, plant, data, swapCount, alerts })
  await refuseHostile(proof, plant.url, data)
  const sent = await load.stop()
  await processed(plant.url, sent.lineCount)
  const { counts } = await statusOf(plant.url)
  await plant.stop()
  proof.say(`${sent.lineCount} readings in, ${counts.windows} windows, ${sent.busyCount} requests told to wait`)
  const outcome = auditLog(proof, data, sent)
  report(proof, swaps, outcome.inForceAtMs, aliveBytes)
})

/** Publishes, waits for the first alert by the new version, and so on. */
async function swapModels(options: {
  readonly proof: Proof
  readonly plant: PlantProcess
  readonly data: string
  readonly swapCount: number
  readonly alerts: AlertWatch
}): Promise<{ swaps: Swap[]; aliveBytes: number[] }> {
  const { proof, plant, data, swapCount, alerts } = options
  const { url } = plant
  const folder = join(proof.folder, 'packages')
  mkdirSync(folder)
  const swaps: Swap[] = []
  const aliveBytes: number[] = []
  for (let i = 1; i <= swapCount; i++) {
    const version = `swap-${i}`
    const bytes = Buffer.from(proofPackage(version, i % 2 === 0, idleTreeCount))
    const file = join(folder, `${version}.mwmodel`)
    writeFileSync(file, bytes)
    const how = i % everyNthByHttp === 0 ? 'http' : i % everyNthLate === 5 ? 'late' : 'ahead'
    const seen = alerts.firstBy(version)
    const publishedAtMs = Date.now()
    let activeFromMs: number
    if (how === 'http') {
      const answer = await post(`${url}/api/models`, 'application/octet-stream', bytes)
      if (answer.status !== 201) throw new Error(`publishing answered ${answer.status}: ${answer.body}`)
      activeFromMs = (JSON.parse(answer.body) as ModelUpdate).activeFrom
    } else {
      const asked = publishedAtMs + (how === 'late' ? -5000 : aheadMs)
      const answer = await askPlant(data, { kind: 'publish', file, activeFromMs: asked })
      if (answer === null) throw new Error('the plant does not listen to commands')
      activeFromMs = asked
    }
    swaps.push({ version, how, publishedAtMs, activeFromMs, firstAlertAtMs: await seen })
    if (i % everyNthAlive === 0) aliveBytes.push(await liveMemoryBytes(plant))
  }
  return { swaps, aliveBytes }
}

/** Hands in every hostile package while readings flow, and compares what the plant has of models before and after. */
async function refuseHostile(proof: Proof, url: string, data: string): Promise<void> {
  const modelsOf = async (): Promise<string> => await (await fetch(`${url}/api/models`)).text()
  const [listed, stored] = [await modelsOf(), digestOf(data)]
  const packages = hostilePackages()
  const wrong: string[] = []
  for (const { what, reason, bytes } of packages) {
    const answer = await post(`${url}/api/models`, 'application/octet-stream', bytes)
    const { code } = answer.contentType.startsWith('application/problem+json')
      ? (JSON.parse(answer.body) as { code: string })
      : { code: 'no problem+json' }
    if (answer.status !== 422 || code !== reason) wrong.push(`${what}: ${answer.status} ${code}, wanted 422 ${reason}`)
  }
  for (const text of wrong) proof.say(text)
  proof.check(
    packages.length >= 20 && wrong.length === 0,
    `${packages.length} kinds of hostile package are refused, each with its reason`,
  )
  proof.check((await modelsOf()) === listed, 'the plant lists the same models as before them')
  proof.check(
    digestOf(data) === stored,
    'the stored packages and the log of updates are, byte for byte, as before them',
  )
}

function digestOf(data: string): string {
  const hash = createHash('sha256')
  for (const folder of ['models', 'model-updates'])
    for (const name of readdirSync(join(data, folder)).sort())
      hash.update(`${folder}/${name}\n`).update(readFileSync(join(data, folder, name)))
  return hash.digest('hex')
}

interface AlertWatch {
  /** Resolves with the time at which the first alert by a version came, epoch milliseconds. */
  firstBy(version: string): Promise<number>
}

/** Listens to the stream of alerts as any client would, and looks for versions in its bytes alone: it must keep up. */
function watchAlerts(proof: Proof, url: string): AlertWatch {
  let wanted: { readonly needle: string; readonly found: (atMs: number) => void } | null = null
  let tail = ''
  let ended = false
  const connect = (): void => {
    const request = get(`${url}/api/events`, { headers: { accept: 'text/event-stream' } }, (response) => {
      response.setEncoding('latin1')
      response.on('data', (text: string) => {
        if (wanted !== null && (tail + text).includes(wanted.needle)) {
          wanted.found(Date.now())
          wanted = null
        }
        tail = text.slice(-100)
      })
      // A client that is too slow is dropped, and comes back.
      response.on('close', () => ended || connect())
    })
    request.on('error', () => undefined)
    proof.onEnd(() => {
      ended = true
      request.destroy()
    })
  }
  connect()
  return {
    firstBy: (version) =>
      new Promise((resolve) => {
        wanted = { needle: `"version":"${version}"`, found: resolve }
      }),
  }
}

/** Sends readings from a thread of its own, so that this one sees alerts when they come. */
function startLoad(proof: Proof, workerData: SwapLoad): { stop(): Promise<SwapLoadResult> } {
  return startLoadThread(proof, new URL('./support/swap-load.ts', import.meta.url), workerData)
}

/** Holds what came out to what went in and to the rule of activation. */
function auditLog(proof: Proof, data: string, sent: SwapLoadResult): { inForceAtMs: Map<string, number> } {
  const updates = storedUpdates(data)
  const inForceAtMs = new Map<string, number>()
  const audit = new SwapAudit((version) => Number(version.slice(5)) % 2 === 0)
  let lateCount = 0
  for (const partition of partitionsOf(data)) {
    const inForce = activationsOf(data, partition, updates)
    lateCount += inForce.filter(({ late }) => late).length
    for (const { version, fromMs } of inForce) inForceAtMs.set(version, Math.max(fromMs, inForceAtMs.get(version) ?? 0))
    for (const reading of storedReadings(data, partition)) audit.reading(reading, inForce)
    for (const { inputOffset, value } of storedOutputs(data, 'device-features', partition))
      audit.features(value, inputOffset)
    for (const { inputOffset, value } of storedOutputs(data, 'alert-signals', partition))
      audit.alert(value, inputOffset)
  }
  audit.report(proof, sent)
  proof.say(`${lateCount} activations in partitions came after their moment`)
  return { inForceAtMs }
}

/** What is in force in a partition, by its log. */
function activationsOf(data: string, partition: number, updates: readonly StoredUpdate[]): InForce[] {
  return inForceByRule(
    storedActivations(data, partition).map(({ seenAtMs, updateOffset }) => {
      const update = updates[updateOffset]
      if (update === undefined)
        throw new Error(`partition ${partition} activates update ${updateOffset}, which is not there`)
      return { version: update.version, activeFromMs: update.activeFrom, seenAtMs }
    }),
  )
}

function report(
  proof: Proof,
  swaps: readonly Swap[],
  inForceAtMs: Map<string, number>,
  aliveBytes: readonly number[],
): void {
  for (const how of ['ahead', 'late', 'http'] as const) {
    const some = swaps.filter((swap) => swap.how === how)
    const quantiles = (values: readonly number[]): string =>
      `p50 ${percentile(values, 0.5)} ms, p99 ${percentile(values, 0.99)} ms`
    const inForce = some.map(({ version, publishedAtMs }) => (inForceAtMs.get(version) ?? Number.NaN) - publishedAtMs)
    const first = some.map(({ publishedAtMs, firstAlertAtMs }) => firstAlertAtMs - publishedAtMs)
    const label = {
      ahead: `in force ${aheadMs} ms ahead`,
      late: 'in force as soon as seen',
      http: 'by HTTP, a second ahead',
    }
    proof.say(
      `${some.length} swaps ${label[how]}: in force in all partitions ${quantiles(inForce)}; first alert by the new version ${quantiles(first)}`,
    )
  }
  proof.check(
    swaps.every(({ version }) => inForceAtMs.has(version)),
    `all ${swaps.length} swaps are in the log of every partition`,
  )
  checkMemory(proof, aliveBytes)
}

/** Flat: by the middle fifth of the swaps everything there is was used, and from there to the last fifth hardly anything more is alive. */
function checkMemory(proof: Proof, aliveBytes: readonly number[]): void {
  const fifth = Math.floor(aliveBytes.length / 5)
  const medians = [0, 1, 2, 3, 4].map((n) => percentile(aliveBytes.slice(n * fifth, (n + 1) * fifth), 0.5))
  const [middle = Number.NaN, last = Number.NaN] = [medians[2], medians[4]]
  const megabytes = medians.map((bytes) => (bytes / 1e6).toFixed(1)).join(', ')
  const growthPerSwap = (last - middle) / (2 * fifth * everyNthAlive)
  proof.check(
    growthPerSwap < growthPerSwapMax,
    `memory is flat over the swaps: alive ${megabytes} MB (medians of fifths), ${(growthPerSwap / 1000).toFixed(1)} kB more per swap from the middle on`,
  )
}
