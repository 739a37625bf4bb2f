import { join } from 'node:path'
import { type AlertSignal, outputTopics } from '@millwright/core'
import type { RunResult, StepOutput } from '@millwright/testkit'
import { hostJar } from '../../../packages/cluster/src/deploy/host-jar.ts'
import type { DevelopmentCluster } from '../../../packages/cluster/src/development/index.ts'
import { FleetWriter, renewTopics, topicsOfGivenTimes } from './fleet-topics.ts'
import {
  countsOfFleet,
  fleetEndMs,
  fleetOptions,
  fleetPlan,
  fleetSeed,
  type GeneratedFleet,
  generateFleet,
  modelsFor,
  operatorSays,
} from './generated-fleet.ts'
import type { GeneratedModels } from './generated-models.ts'
import { bundleInto, runToEnd, writeScenarioProject } from './guest-folder.ts'
import { committedOutputs, differences, topicEnds } from './kafka-outputs.ts'
import type { Proof } from './proof.ts'

/** Inputs merged by append time, as the operator has them; and so few devices held that most come from Flink's state. */
export const fleetSettings = { mergeInputs: true, cacheKeysMax: 20, dirtyKeysMax: 8 } as const
/** Partitions are three: fewer subtasks, as many, and some that read nothing. */
const parallelisms = [1, 3, 6]
/** Of a trouble that is to be in the input. */
const countWanted = 100

/** At each parallelism the job gives the fleet what the operator gives it; what is refused is told once, with its reason. */
export async function proveGenerated(
  proof: Proof,
  cluster: DevelopmentCluster,
  { historyCount }: { readonly historyCount: number },
): Promise<void> {
  const fleet = generateFleet(historyCount)
  const models = modelsFor(fleet, fleetPlan)
  const wanted = operatorSays(fleet, fleetPlan, models)
  sayInput(proof, fleet, models, wanted)
  await renewTopics(cluster, topicsOfGivenTimes())
  const writer = new FleetWriter(cluster.kafka)
  const flink = cluster.openFlink()
  try {
    await writer.updates(models.records)
    await writer.records(fleet.records)
    await writer.time(fleetEndMs)
    const config = writeScenarioProject(join(proof.folder, 'fleet'), fleetSeed, fleetOptions)
    const guest = await bundleInto(join(proof.folder, 'fleet-guest'), config, fleetPlan, fleetSettings)
    const jarId = await flink.uploadJar(await hostJar(proof.say))
    for (const parallelism of parallelisms) {
      const marks = await topicEnds(cluster.kafka, outputTopics)
      const args = ['--kafka', cluster.bootstrapServers.join(','), '--guest', guest, '--until', 'latest']
      await runToEnd(flink, jarId, { args, parallelism })
      const found = await committedOutputs(cluster.kafka, marks)
      checkEqual(proof, `at parallelism ${parallelism}`, found, wanted.outputs, models.refusals)
    }
  } finally {
    await flink.close()
    await writer.close()
  }
}

/** Prints how often each kind of trouble is in the input; each must be there. */
export function sayInput(proof: Proof, fleet: GeneratedFleet, models: GeneratedModels, wanted: RunResult): void {
  const counts = countsOfFleet(fleet, models, wanted)
  for (const [kind, count] of Object.entries(counts)) proof.say(`${String(count).padStart(7)}  ${kind}`)
  const often = [
    'late_readings_total',
    'window_revisions_total',
    'redelivered_total',
    'devices_silent_total',
    'devices_returned_total',
    'device_events_in_total',
    'dead_letters_total{reason="not-json"}',
    'dead_letters_total{reason="future"}',
  ]
  const scale = Math.min(1, fleet.deviceCount / 200)
  const rare = often.filter((kind) => (counts[kind] ?? 0) < countWanted * scale)
  const absent = Object.entries(counts).filter(([, count]) => count === 0)
  proof.check(
    rare.length === 0 && absent.length === 0 && (counts['dead_letters_total{reason="jump-not-confirmed"}'] ?? 0) > 0,
    `the input has ${fleet.deviceCount} devices and every kind of trouble${rare.map((kind) => `, too little ${kind}`).join('')}`,
  )
  const marks = marksOf(wanted.outputs)
  for (const [mark, count] of marks) proof.say(`${String(count).padStart(7)}  ${mark}`)
  const unseen = policyMarks.filter((mark) => !marks.has(mark))
  proof.check(
    unseen.length === 0,
    `the alert policy gives marks of every kind${unseen.map((m) => `, but ${m}`).join('')}`,
  )
  proof.check(
    models.partCountMax > 1 && (counts['versions that scored a window'] ?? 0) >= models.packages.size - 1,
    `${counts['versions that scored a window']} of ${models.packages.size} versions score a window, the largest package has ${models.partCountMax} parts`,
  )
}

/** What an alert policy must have made of the input at least once. */
const policyMarks = ['raising', 'holding', 'holding another severity', 'clearing', 'muted', 'alert-cleared']

/** How often the alert policy did what. */
function marksOf(outputs: readonly StepOutput[]): ReadonlyMap<string, number> {
  const marks = new Map<string, number>()
  const add = (mark: string): void => void marks.set(mark, (marks.get(mark) ?? 0) + 1)
  for (const { topic, line } of outputs) {
    if (topic === 'device-status' && line.includes('"kind":"alert-cleared"')) add('alert-cleared')
    if (topic !== 'alert-signals') continue
    const { alert, muted } = JSON.parse(line) as AlertSignal
    if (alert !== undefined) add(alert.before === undefined ? alert.mark : `${alert.mark} another severity`)
    if (muted !== undefined) add('muted')
  }
  return marks
}

/** Holds what came out to what is wanted. @param refusals Reasons for which updates must have been refused meanwhile. */
export function checkEqual(
  proof: Proof,
  when: string,
  found: readonly StepOutput[],
  wanted: readonly StepOutput[],
  refusals: readonly string[],
): void {
  const own = found.filter((output) => !isRefusal(output))
  const told = differences(own, wanted)
  for (const difference of told.slice(0, 3)) proof.say(difference)
  proof.check(
    own.length > 0 && told.length === 0,
    `${when}: ${own.length} records on ${outputTopics.length} topics equal the operator's, device by device, byte for byte (${told.length} sequences differ)`,
  )
  checkRefusals(proof, when, found, refusals)
}

/** Each update that must be refused was, once and with its reason. Partitions have no order among them. */
export function checkRefusals(
  proof: Proof,
  when: string,
  found: readonly StepOutput[],
  refusals: readonly string[],
): void {
  const reasons = found.filter(isRefusal).map(({ line }) => reasonOf(line))
  proof.check(
    [...reasons].sort().join() === [...refusals].sort().join(),
    `${when}: ${refusals.length} updates are refused, each once and with its reason (${reasons.length} refusals)`,
  )
}

/** A dead letter of `model-updates`: of no device, and no output of the operator. */
export function isRefusal({ topic, line }: StepOutput): boolean {
  return topic === 'dead-letters' && line.startsWith('{"reason":"model-refused"')
}

function reasonOf(line: string): string {
  const { message } = JSON.parse(line) as { message: string }
  return /^Refused the model package \(([^)]+)\)/.exec(message)?.[1] ?? 'no update at all'
}
