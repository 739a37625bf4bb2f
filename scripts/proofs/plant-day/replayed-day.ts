import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { OutputTopic } from '@millwright/core'
import type { WatchReport } from '@millwright/monitoring'
import { differenceOf } from '../cluster-watching/compared.ts'
import { told } from '../support/commands.ts'
import { eventually, type Proof } from '../support/proof.ts'
import { startProofPlant } from '../support/proof-plant.ts'
import { storedLines } from '../support/stored-frames.ts'
import { storedMessages } from './stored-day.ts'

/** What a plant makes of its input, and keeps beside it: without these it has nothing but what came in. */
const derived = ['output', 'state', 'watch', 'cases/messages']
const comparedTopics: readonly OutputTopic[] = ['alert-signals', 'device-status']

/**
 * Plays all that came in again from the start, in a plant that has nothing else, and holds what it says to what was said on the day: alerts, cases,
 * and what is known of the model.
 */
export async function replayDay(proof: Proof, day: { readonly project: string; readonly data: string }): Promise<void> {
  const { project, data } = day
  const stopped: WatchReport = await told('report', project, '--data', data)
  const anew: WatchReport = await told('report', project, '--data', data, '--anew')
  proof.check(
    stopped.models.length > 0 &&
      isDeepStrictEqual(stopped.models, anew.models) &&
      isDeepStrictEqual(stopped.verdicts, anew.verdicts),
    `verdicts, drift and estimates are those that a watcher finds which reads all topics from the start: ${verdictsOf(stopped)}`,
  )

  const copy = join(proof.folder, 'replayed')
  cpSync(data, copy, { recursive: true })
  for (const name of derived) rmSync(join(copy, name), { recursive: true, force: true })
  const plant = await startProofPlant(proof, project, copy)
  const wanted = storedLines(join(data, 'cases/messages'))
  const replayed = await eventually('all is replayed', 180, async () => {
    const answer = await fetch(`${plant.url}/api/model`)
    const report = answer.ok ? ((await answer.json()) as WatchReport) : null
    const isRead = (report?.readUpTo ?? 0) >= (stopped.readUpTo ?? Number.POSITIVE_INFINITY)
    return isRead && storedLines(join(copy, 'cases/messages')).length >= wanted.length ? report : null
  })
  await plant.stop()
  for (const topic of comparedTopics) {
    const before = storedMessages(data, topic).map(({ line }) => line)
    const after = storedMessages(copy, topic).map(({ line }) => line)
    // Machines that send nothing fall silent after the day: that is no part of it.
    const more = after.length - before.length
    proof.check(
      before.length > 0 &&
        isDeepStrictEqual(after.slice(0, before.length), before) &&
        (topic === 'device-status' || more === 0),
      `${topic} is the same after a replay from the start, record for record: ${before.length}${more > 0 ? ` (and ${more} of the time after)` : ''}`,
    )
  }
  const found = storedLines(join(copy, 'cases/messages'))
  proof.check(
    wanted.length > 0 && isDeepStrictEqual(found, wanted),
    `cases is the same after a replay from the start, record for record: ${wanted.length} ${differenceOf(found.map(parsed), wanted.map(parsed)) ?? ''}`,
  )
  proof.check(
    isDeepStrictEqual(replayed.models, stopped.models),
    `and so is what is known of the model: ${verdictsOf(replayed)} ${differenceOf(replayed.models, stopped.models) ?? ''}`,
  )
}

function parsed(line: string): unknown {
  return JSON.parse(line)
}

function verdictsOf({ models }: WatchReport): string {
  const { events, failures, falseAlertsTotal } = models[0] ?? {}
  return JSON.stringify({ events, failures, falseAlertsTotal })
}
