/**
 * Proof: a full disk, which is a real small file system. The plant on it refuses with a clear answer, loses nothing that it
 * acknowledged, still tells what it owes, goes on by itself when there is space, and does not start on a full disk without
 * saying why, or changing what is there. In the end the outputs are those of a replay of what was acknowledged.
 *
 * The disk is filled in two ways: by readings, until the plant keeps the rest for what it has accepted; and by another
 * program, to the last byte, so that writes truly fail.
 *
 *   node scripts/proofs/full-disk.ts
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { statusOf } from '../../bench/plant-process.ts'
import { auditAcknowledged, closingLine } from './support/acknowledged-audit.ts'
import { Ballast } from './support/ballast.ts'
import { reenter } from './support/namespaces.ts'
import { proofPackage } from './support/packages.ts'
import { eventually, type Proof, prove } from './support/proof.ts'
import {
  isAcknowledged,
  type PostAnswer,
  postReadings,
  startProofPlant,
  windowMs,
  writeProofProject,
} from './support/proof-plant.ts'
import { type ResendingClients, startResendingClients } from './support/resending-clients.ts'
import { mountSmallDisk } from './support/small-disk.ts'

/** The plant keeps 256 MiB for what it has accepted; about as much again as this leaves is for readings and other programs. */
const diskMiB = 500
const ballastBytes = 128 << 20
const clientCount = 4
/** Attempts to be quicker with the last byte than the plant is with looking. */
const roundsMax = 8
const devicesPerClient = 40
/** Makes readings large, so that a disk is full soon. */
const padding = 'x'.repeat(600)

await prove('full-disk', 300, async (proof) => {
  await reenter([['-m'], ['-rm']])
  const disk = mountSmallDisk(proof, diskMiB)
  const sinks = "[{ kind: 'file', path: 'high.ndjson' }]"
  const project = writeProofProject(join(proof.folder, 'project'), proofPackage('first', true), sinks)
  const data = join(disk, 'data')
  const ballast = new Ballast(disk)
  const startMs = Math.floor((Date.now() - 20 * 3_600_000) / windowMs) * windowMs
  ballast.fill(ballastBytes)

  let plant = await startProofPlant(proof, project, data)
  const clients = startResendingClients({ clientCount, devicesPerClient, startMs, padding })
  clients.url = plant.url
  await filledByReadings(proof, clients, plant.url, ballast)
  await filledToTheLastByte(proof, clients, plant.url, ballast)

  await acknowledges(clients, plant.url, 1)
  ballast.fillAtOnce()
  await firstRefusal(clients)
  const seconds = await plant.stop()
  clients.url = null
  proof.check(seconds < 5, `SIGTERM on the full disk ends with 0 after ${seconds.toFixed(2)} s`)
  ballast.fill(Number.POSITIVE_INFINITY)
  await startedOnFullDisk(proof, project, data)

  ballast.drop()
  plant = await startProofPlant(proof, project, data)
  await goesOn(proof, clients, plant.url, 'after space was freed and the plant started again, it takes readings')
  clients.url = plant.url
  await clients.finish()
  proof.say(`answers that were no acknowledgement, by status: ${JSON.stringify(Object.fromEntries(clients.refusals))}`)
  proof.check(
    [...clients.refusals.keys()].every((status) => status === 507 || status === 503 || status === 429 || status === 0),
    'nothing else was answered than 507, 503, 429, or nothing while the plant was away',
  )
  const closing = Array.from({ length: clientCount * devicesPerClient }, (_, device) => closingLine(device, startMs))
  if (!isAcknowledged(await postReadings(plant.url, `${closing.join('\n')}\n`), closing.length))
    throw new Error('the closing readings were not accepted')
  await caughtUp(plant.url)
  await plant.stop()
  const requests = [...clients.acknowledged, { lines: closing, attempts: 1 }]
  auditAcknowledged(proof, { data, project, startMs, requests })
})

/** Readings fill the disk up to what the plant keeps back. */
async function filledByReadings(proof: Proof, clients: ResendingClients, url: string, ballast: Ballast): Promise<void> {
  const refusal = await firstRefusal(clients)
  const acknowledged = clients.acknowledged.length
  proof.say(`after ${acknowledged} requests: ${refusal.status} ${refusal.body}`)
  proof.check(acknowledged > 100, 'readings are taken until the disk is nearly full')
  checkProblem(proof, refusal)
  await caughtUp(url)
  const { counts } = await statusOf(url)
  proof.check(
    counts.windows > 0,
    `while it refuses it still tells what it owes: ${counts.windows} windows, nothing waits`,
  )
  proof.check((await fetch(`${url}/healthz`)).status === 200, 'and it lives')
  ballast.drop()
  await goesOn(proof, clients, url, 'when space is freed it takes readings again, by itself')
}

/** Another program takes every byte there is while readings flow: writes fail, of readings first, and then of snapshots. */
async function filledToTheLastByte(
  proof: Proof,
  clients: ResendingClients,
  url: string,
  ballast: Ballast,
): Promise<void> {
  let refusal: PostAnswer
  for (let round = 1; ; round++) {
    await acknowledges(clients, url, 1)
    ballast.fillAtOnce()
    refusal = await firstRefusal(clients)
    // The plant may happen to look at the disk first, and then refuses without trying.
    if (refusal.body.includes('ENOSPC') || round === roundsMax) break
    ballast.drop()
    await goesOn(proof, clients, url, `with bytes again it takes readings (round ${round})`)
  }
  proof.say(`with no byte left: ${refusal.status} ${refusal.body}`)
  proof.check(refusal.body.includes('ENOSPC'), 'a write of readings found no space')
  checkProblem(proof, refusal)
  const failed = await eventually('a snapshot is tried', 25, async () => (await snapshotsFailed(url)) || null)
  proof.check(failed > 0, `${failed} snapshots found no space either`)
  ballast.fill(Number.POSITIVE_INFINITY)
  proof.check((await fetch(`${url}/healthz`)).status === 200, 'with no byte left it lives')
  ballast.drop()
  await goesOn(proof, clients, url, 'when there are bytes again it takes readings, by itself')
  await caughtUp(url)
  proof.check((await fetch(`${url}/readyz`)).status === 200, 'and says that it is ready')
}

async function snapshotsFailed(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  return [...metrics.matchAll(/^millwright_snapshots_failed_total\{[^}]*\} (\d+)$/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  )
}

/** A plant that is started on a full disk says so and ends, or runs; either way what is there stays as it is. */
async function startedOnFullDisk(proof: Proof, project: string, data: string): Promise<void> {
  const before = digestOf(data)
  try {
    const plant = await startProofPlant(proof, project, data)
    const answer = await postReadings(plant.url, '{"deviceId":"a","timestamp":1766000000000,"vibration":1}\n')
    proof.say(`on a full disk it starts, and answers ${answer.status} ${answer.body}`)
    checkProblem(proof, answer)
    await plant.stop()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    proof.say(`on a full disk it does not start: ${message.slice(0, 400)}`)
    proof.check(
      /ended with 1: .*(?:is full|must be free)/.test(message) && !message.includes('\n    at '),
      'it ends with 1 and says that the disk is full',
    )
  }
  const after = digestOf(data)
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  )
  for (const path of changed.slice(0, 5)) proof.say(`changed: ${path}`)
  proof.check(changed.length === 0, `what was stored is as it was, ${before.size} files byte for byte`)
}

function checkProblem(proof: Proof, { status, contentType, body }: PostAnswer): void {
  const problem = contentType.startsWith('application/problem+json')
    ? (JSON.parse(body) as { code: string; detail: string })
    : null
  proof.check(
    status === 507 && problem?.code === 'disk-full' && /free|full|space/.test(problem.detail),
    'it refuses with 507, code disk-full, and says what to do',
  )
}

/** The next answer that is for the disk; a busy plant may give others before. */
function firstRefusal(clients: ResendingClients): Promise<PostAnswer> {
  return new Promise((resolve) => {
    clients.onRefusal = (answer) => {
      if (answer.status !== 507) return
      clients.onRefusal = () => undefined
      resolve(answer)
    }
  })
}

/** Every client gets through; then they rest, so that it is not them who fill the disk again. */
async function goesOn(proof: Proof, clients: ResendingClients, url: string, claim: string): Promise<void> {
  const startedMs = performance.now()
  await acknowledges(clients, url, clientCount)
  clients.url = null
  proof.check(true, `${claim}, after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
}

/** Resolves when so many requests more are acknowledged, under load. @throws When that takes long. */
async function acknowledges(clients: ResendingClients, url: string, requestCount: number): Promise<void> {
  const wanted = clients.acknowledged.length + requestCount
  clients.url = url
  await eventually('readings are taken', 20, async () => (clients.acknowledged.length >= wanted ? true : null))
}

async function caughtUp(url: string): Promise<void> {
  await eventually('everything is processed', 30, async () => ((await statusOf(url)).lag.records === 0 ? true : null))
}

/** Content of every file of a data folder but for the lock and what a running plant says of itself. */
function digestOf(data: string): Map<string, string> {
  return new Map(
    readdirSync(data, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !['lock', 'engine.json', 'engine.json.tmp'].includes(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(data, path), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  )
}
