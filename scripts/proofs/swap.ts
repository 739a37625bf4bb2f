/**
 * Proof: models with opposite answers are published again and again while readings flow as fast as they are taken. No window
 * is lost, doubled, or scored by another version than the log says; memory stays flat; packages of many hostile kinds are
 * refused with nothing changed.
 *
 * What the log says is found out independently: by its bytes (`support/stored-frames.ts`), by the reading that closes each
 * window, and by the rule of activation, in force from `max(activeFrom, just after it was seen)`.
 *
 *   node scripts/proofs/swap.ts [--swaps 100]
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { AlertSignal, DeviceFeatures, ModelUpdate } from '@millwright/core'
import { percentile, statusBytes } from '../../bench/measure.ts'
import { processed, statusOf } from '../../bench/plant-process.ts'
import { askPlant } from '../../packages/cli/src/control/control-client.ts'
import { hostilePackages } from './support/hostile-packages.ts'
import { proofPackage, vibrationSplit } from './support/packages.ts'
import { numberArgument, type Proof, prove } from './support/proof.ts'
import { post, startProofPlant, windowMs, writeProofProject } from './support/proof-plant.ts'
import {
  partitionsOf,
  type StoredUpdate,
  storedActivations,
  storedOutputs,
  storedReadings,
  storedUpdates,
} from './support/stored-frames.ts'
import type { SwapLoad, SwapLoadResult } from './support/swap-load.ts'

/** How far ahead a model is put in force, milliseconds: time for every partition to have it. */
const aheadMs = 50
/** Of all swaps: by HTTP, where the plant itself says from when; and with a moment that has passed already. */
const everyNthByHttp = 20
const everyNthLate = 10
const deviceCount = 32

/**
 * Of the typical size of the plant, from the middle fifth of the swaps to the last one. Seen: 1.05 (200 swaps) and 1.17 (100
 * swaps), in steps of up to 45 MB that the collectors of two threads take at any time and that do not come again.
 */
const growthMax = 1.25

interface Swap {
  readonly version: string
  readonly how: 'ahead' | 'http' | 'late'
  readonly publishedAtMs: number
  readonly activeFromMs: number
  firstAlertAtMs: number
}

await prove('swap', 300, async (proof) => {
  const swapCount = numberArgument('swaps', 100)
  const project = writeProofProject(join(proof.folder, 'project'), proofPackage('swap-0', true))
  const data = join(proof.folder, 'data')
  const plant = await startProofPlant(proof, project, data)
  const load = startLoad(proof, { url: plant.url, deviceCount, startMs: Date.now() - 20 * 3_600_000 })
  const alerts = watchAlerts(proof, plant.url)
  const { swaps, rssBytes } = await swapModels({ proof, url: plant.url, pid: plant.pid, data, swapCount, alerts })
  await refuseHostile(proof, plant.url, data)
  const sent = await load.stop()
  await processed(plant.url, sent.lineCount)
  const { counts } = await statusOf(plant.url)
  await plant.stop()
  proof.say(`${sent.lineCount} readings in, ${counts.windows} windows, ${sent.busyCount} requests told to wait`)
  const outcome = auditLog(proof, data, sent)
  report(proof, swaps, outcome.inForceAtMs, rssBytes)
})

/** Publishes, waits for the first alert by the new version, and so on. */
async function swapModels(options: {
  readonly proof: Proof
  readonly url: string
  readonly pid: number
  readonly data: string
  readonly swapCount: number
  readonly alerts: AlertWatch
}): Promise<{ swaps: Swap[]; rssBytes: number[] }> {
  const { proof, url, pid, data, swapCount, alerts } = options
  const folder = join(proof.folder, 'packages')
  mkdirSync(folder)
  const swaps: Swap[] = []
  const rssBytes: number[] = []
  for (let i = 1; i <= swapCount; i++) {
    const version = `swap-${i}`
    const bytes = Buffer.from(proofPackage(version, i % 2 === 0))
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
    rssBytes.push(statusBytes(pid, 'VmRSS'))
  }
  return { swaps, rssBytes }
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
  const worker = new Worker(new URL('./support/swap-load.ts', import.meta.url), { workerData })
  proof.onEnd(() => void worker.terminate())
  const result = new Promise<SwapLoadResult>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  result.catch(() => undefined)
  return {
    async stop() {
      worker.postMessage('stop')
      return await result
    },
  }
}

/** A window as a partition's log has it: the record that closed it, and the version that must have scored it. */
interface Closing {
  readonly offset: number
  readonly version: string
}

/** Holds what came out to what went in and to the rule of activation. */
function auditLog(proof: Proof, data: string, sent: SwapLoadResult): { inForceAtMs: Map<string, number> } {
  const updates = storedUpdates(data)
  const inForceAtMs = new Map<string, number>()
  const counts = { windows: 0, features: 0, alerts: 0, lateActivations: 0 }
  const faults: Record<'lost' | 'doubled' | 'strange' | 'version' | 'answer' | 'features' | 'place', string[]> = {
    lost: [],
    doubled: [],
    strange: [],
    version: [],
    answer: [],
    features: [],
    place: [],
  }
  const highWhenCalm = (version: string): boolean => Number(version.slice(5)) % 2 === 0
  let readingCount = 0
  for (const partition of partitionsOf(data)) {
    const inForce = activationsOf(data, partition, updates, inForceAtMs)
    counts.lateActivations += inForce.filter(({ late }) => late).length
    const closings = new Map<string, Closing>()
    const clocks = new Map<string, number>()
    for (const { offset, appendTimeMs, line } of storedReadings(data, partition)) {
      readingCount += 1
      const { deviceId, timestamp } = JSON.parse(line) as { deviceId: string; timestamp: number }
      const before = clocks.get(deviceId) ?? timestamp
      clocks.set(deviceId, timestamp)
      const start = Math.floor(before / windowMs) * windowMs
      // Readings come every tenth of a window and in order: a reading closes at most the window before its own.
      if (start + windowMs > timestamp) continue
      const version = inForce.findLast(({ fromMs }) => fromMs <= appendTimeMs)?.version ?? 'none'
      closings.set(`${deviceId} ${start} 0`, { offset, version })
    }
    counts.windows += closings.size
    const features = new Map<string, string>()
    for (const { inputOffset, value } of storedOutputs(data, 'device-features', partition)) {
      const record = JSON.parse(value) as DeviceFeatures
      const key = `${record.deviceId} ${record.windowStart} ${record.revision}`
      counts.features += 1
      if (features.has(key)) faults.doubled.push(`device-features ${key}`)
      if (!closings.has(key)) faults.strange.push(`device-features ${key}`)
      else if (closings.get(key)?.offset !== inputOffset) faults.place.push(`device-features ${key}`)
      features.set(key, JSON.stringify(record.features))
    }
    const scored = new Set<string>()
    for (const { inputOffset, value } of storedOutputs(data, 'alert-signals', partition)) {
      const alert = JSON.parse(value) as AlertSignal
      const key = `${alert.deviceId} ${alert.windowStart} ${alert.revision}`
      counts.alerts += 1
      if (scored.has(key)) faults.doubled.push(`alert-signals ${key}`)
      scored.add(key)
      const closing = closings.get(key)
      if (closing === undefined) {
        faults.strange.push(`alert-signals ${key}`)
        continue
      }
      if (closing.offset !== inputOffset) faults.place.push(`alert-signals ${key}`)
      if (closing.version !== alert.model.version)
        faults.version.push(`${key}: by ${alert.model.version}, the log says ${closing.version}`)
      const calm = Math.fround(alert.features['vibration'] ?? Number.NaN) < vibrationSplit
      if (alert.probability > 0.8 !== (calm === highWhenCalm(alert.model.version))) faults.answer.push(key)
      if (features.get(key) !== JSON.stringify(alert.features)) faults.features.push(key)
    }
    for (const key of closings.keys()) {
      if (!features.has(key)) faults.lost.push(`device-features ${key}`)
      if (!scored.has(key)) faults.lost.push(`alert-signals ${key}`)
    }
  }
  for (const [fault, found] of Object.entries(faults))
    for (const text of found.slice(0, 3)) proof.say(`${fault}: ${text}`)
  proof.check(readingCount === sent.lineCount, `the log has each of the ${sent.lineCount} acknowledged readings once`)
  proof.check(
    counts.windows === sent.closedWindowCount && counts.windows > 1000,
    `${counts.windows} windows were closed, as many as the readings say`,
  )
  proof.check(
    faults.lost.length === 0 && counts.features === counts.windows && counts.alerts === counts.windows,
    'none is lost: each has its features and its alert',
  )
  proof.check(faults.doubled.length + faults.strange.length === 0, 'none is doubled, and none comes from nowhere')
  proof.check(faults.place.length === 0, 'each is kept with the place of the reading that closed it')
  proof.check(faults.version.length === 0, 'each alert is by the version that the log says was in force')
  proof.check(faults.answer.length === 0, 'each alert has the answer of the version it names, not of the other one')
  proof.check(faults.features.length === 0, 'each alert has the features that device-features has')
  proof.say(`${counts.lateActivations} activations in partitions came after their moment`)
  return { inForceAtMs }
}

/** What is in force in a partition, by its log: ascending by moment, later ones last among equals. */
function activationsOf(
  data: string,
  partition: number,
  updates: readonly StoredUpdate[],
  inForceAtMs: Map<string, number>,
): { version: string; fromMs: number; late: boolean }[] {
  return storedActivations(data, partition)
    .map(({ seenAtMs, updateOffset }) => {
      const update = updates[updateOffset]
      if (update === undefined)
        throw new Error(`partition ${partition} activates update ${updateOffset}, which is not there`)
      const late = update.activeFrom <= seenAtMs
      const fromMs = late ? seenAtMs + 1 : update.activeFrom
      inForceAtMs.set(update.version, Math.max(fromMs, inForceAtMs.get(update.version) ?? 0))
      return { version: update.version, fromMs, late }
    })
    .sort((a, b) => a.fromMs - b.fromMs)
}

function report(
  proof: Proof,
  swaps: readonly Swap[],
  inForceAtMs: Map<string, number>,
  rssBytes: readonly number[],
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
  checkMemory(proof, rssBytes)
}

/**
 * Flat: by the middle fifth of the swaps everything there is was used, and from there to the last fifth the typical size grows by
 * no more than its collectors make it sway. That shows hundreds of kilobytes a swap, and no less: that a replaced model is let go of
 * at all, the tests of `ModelsInForce` show.
 */
function checkMemory(proof: Proof, rssBytes: readonly number[]): void {
  const fifth = Math.floor(rssBytes.length / 5)
  const medians = [0, 1, 2, 3, 4].map((n) => percentile(rssBytes.slice(n * fifth, (n + 1) * fifth), 0.5))
  const [middle = Number.NaN, last = Number.NaN] = [medians[2], medians[4]]
  const megabytes = medians.map((bytes) => Math.round(bytes / 1e6)).join(', ')
  const leftPerSwap = Math.round((last - middle) / (2 * fifth) / 1000)
  proof.check(
    last < middle * growthMax,
    `memory is flat over the swaps: RSS ${megabytes} MB (medians of fifths), ${leftPerSwap} kB more per swap from the middle on`,
  )
}
