/**
 * Proof: SIGTERM under full load, at random moments, again and again, ends the plant within five seconds and with 0, and
 * loses nothing: every acknowledged reading is there once, and the outputs are those of a replay of what was acknowledged.
 *
 *   node scripts/proofs/stop.ts [--stops 20] [--seed 1]
 */
import { join } from 'node:path'
import { percentile } from '../../bench/measure.ts'
import { statusOf } from '../../bench/plant-process.ts'
import { auditAcknowledged, closingLine } from './support/acknowledged-audit.ts'
import { proofPackage } from './support/packages.ts'
import { eventually, numberArgument, pause, prove, seededChance } from './support/proof.ts'
import { isAcknowledged, postReadings, startProofPlant, windowMs, writeProofProject } from './support/proof-plant.ts'
import { startResendingClients } from './support/resending-clients.ts'

const secondsMax = 5
const clientCount = 4
const devicesPerClient = 40
/**
 * A plant runs at most so long before it is told to stop, milliseconds: from when it has acknowledged something; each fourth time from the
 * moment it listens, so that some are stopped while they begin.
 */
const runMsMax = 1200

await prove('stop', 600, async (proof) => {
  const stopCount = numberArgument('stops', 20)
  const seed = numberArgument('seed', Date.now() % 1_000_000)
  proof.say(`seed ${seed}`)
  const chance = seededChance(seed)
  const project = writeProofProject(join(proof.folder, 'project'), proofPackage('first', true))
  const data = join(proof.folder, 'data')
  const startMs = Math.floor((Date.now() - 20 * 3_600_000) / windowMs) * windowMs
  const clients = startResendingClients({ clientCount, devicesPerClient, startMs })
  const seconds: number[] = []
  let underLoad = 0
  for (let stop = 0; stop < stopCount; stop++) {
    const plant = await startProofPlant(proof, project, data)
    const before = clients.acknowledged.length
    clients.url = plant.url
    if (stop % 4 !== 3) await eventually('load', 30, async () => (clients.acknowledged.length > before ? true : null))
    await pause(Math.floor(chance() * runMsMax))
    if (clients.acknowledged.length > before) underLoad += 1
    // Clients learn of it as they would anywhere: from the connection. So does `stop`, which fails unless it ends with 0.
    seconds.push(await plant.stop())
    clients.url = null
  }
  proof.say(
    `SIGTERM to end: p50 ${percentile(seconds, 0.5).toFixed(2)} s, longest ${Math.max(...seconds).toFixed(2)} s; ${underLoad} of ${stopCount} while requests were being acknowledged`,
  )
  proof.check(Math.max(...seconds) < secondsMax, `each of ${stopCount} stops ends with 0 within ${secondsMax} s`)
  proof.check(underLoad >= stopCount / 2, 'at least half of them came under load')

  const plant = await startProofPlant(proof, project, data)
  clients.url = plant.url
  await clients.finish()
  proof.say(`answers that were no acknowledgement, by status: ${JSON.stringify(Object.fromEntries(clients.refusals))}`)
  const closing = Array.from({ length: clientCount * devicesPerClient }, (_, device) => closingLine(device, startMs))
  if (!isAcknowledged(await postReadings(plant.url, `${closing.join('\n')}\n`), closing.length))
    throw new Error('the closing readings were not accepted')
  await eventually('everything is processed', 30, async () =>
    (await statusOf(plant.url)).lag.records === 0 ? true : null,
  )
  await plant.stop()
  const requests = [...clients.acknowledged, { lines: closing, attempts: 1 }]
  auditAcknowledged(proof, { data, project, startMs, requests })
})
