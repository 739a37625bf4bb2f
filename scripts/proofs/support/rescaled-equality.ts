import { join } from 'node:path'
import type { FlinkClient } from '@millwright/cluster'
import { type DeviceFeatures, outputTopics, type Plan } from '@millwright/core'
import { stateShape } from '@millwright/operators'
import { byDeviceAndTopic, type StepOutput } from '@millwright/testkit'
import { awaitRunning } from '../../../packages/cluster/src/deploy/await-running.ts'
import { hostJar } from '../../../packages/cluster/src/deploy/host-jar.ts'
import type { DevelopmentCluster } from '../../../packages/cluster/src/development/index.ts'
import { FleetWriter, renewTopics, topicsOfGivenTimes } from './fleet-topics.ts'
import { checkEqual, checkRefusals, fleetSettings, isRefusal } from './generated-equality.ts'
import {
  fleetEndMs,
  fleetOptions,
  fleetPlan,
  fleetSeed,
  type GeneratedFleet,
  generateFleet,
  modelsFor,
  operatorSays,
} from './generated-fleet.ts'
import { bundleInto, writeScenarioProject } from './guest-folder.ts'
import { awaitCommitted, committedOutputs, topicEnds } from './kafka-outputs.ts'
import type { Proof } from './proof.ts'

/** Subtasks of the job, one after the other, each from the savepoint of the one before. */
const parallelisms = [3, 6, 2]
/** The feature that the changed project has beside the others. */
const newFeature = 'maxB'
/** Without an alert policy: alerts that the models before raised would stand, which a run from the beginning cannot know. */
const changedAlert = { threshold: fleetPlan.alert.threshold, whyMax: fleetPlan.alert.whyMax }
const changedPlan: Plan = {
  ...fleetPlan,
  alert: changedAlert,
  features: [
    ...fleetPlan.features,
    { name: newFeature, unit: '1', node: { kind: 'aggregate', statistic: 'max', channel: 'b' } },
  ],
}
const changedText = `{ ...plan, features: [...plan.features, ${JSON.stringify(changedPlan.features.at(-1))}], alert: ${JSON.stringify(changedAlert)} }`
const configuration = { 'execution.checkpointing.interval': '1 s' }
const committedSecondsMax = 180

/**
 * A job that is stopped with a savepoint in the middle of its input and goes on with other numbers of subtasks, and then with another
 * feature and no alert policy, gives what the operator gives.
 */
export async function proveRescaled(
  proof: Proof,
  cluster: DevelopmentCluster,
  { historyCount }: { readonly historyCount: number },
): Promise<void> {
  const fleet = generateFleet(historyCount)
  const parts = partsOf(fleet, parallelisms.length + 1)
  const changeMs = parts[parallelisms.length - 1]?.toMs ?? Number.NaN
  // All of them, with what comes after them, before the change: the changed project takes none of them.
  const models = modelsFor({ span: { fromMs: fleet.span.fromMs, toMs: changeMs - 10_000 } }, fleetPlan)
  const changedModels = modelsFor({ span: { fromMs: changeMs + 1, toMs: fleet.span.toMs } }, changedPlan, 'w')
  await renewTopics(cluster, topicsOfGivenTimes())
  const writer = new FleetWriter(cluster.kafka)
  const flink = cluster.openFlink()
  const job = new StagedJob(cluster, flink, await flink.uploadJar(await hostJar(proof.say)))
  try {
    const marks = await topicEnds(cluster.kafka, outputTopics)
    await writer.updates(models.records)
    const config = writeScenarioProject(join(proof.folder, 'before'), fleetSeed, fleetOptions)
    const guest = await bundleInto(join(proof.folder, 'before-guest'), config, fleetPlan, fleetSettings)
    const untilChange = operatorSays(fleet, fleetPlan, models, { toMs: changeMs })
    const { refusals } = models
    for (const [stage, parallelism] of parallelisms.entries()) {
      const part = parts[stage] as FleetPart
      const stageMarks = await topicEnds(cluster.kafka, outputTopics)
      await job.start(guest, parallelism)
      const half = part.records.length >> 1
      await writer.records(part.records.slice(0, half))
      await writer.time(part.records[half]?.appendTimeMs ?? part.toMs)
      // It has begun with its part, and is stopped with the rest of it under way; the last one comes to its end. What is refused is told
      // at the start, and is no sign of having begun.
      await awaitCommitted(cluster.kafka, stageMarks, refusals.length + 1, committedSecondsMax)
      await writer.records(part.records.slice(half))
      await writer.time(part.toMs)
      if (stage === parallelisms.length - 1)
        await awaitCommitted(cluster.kafka, marks, untilChange.outputs.length + refusals.length, committedSecondsMax)
      await job.stop()
      const count = (await committedOutputs(cluster.kafka, stageMarks)).filter((output) => !isRefusal(output)).length
      proof.check(count > 0, `with ${parallelism} subtasks it gives ${count} records`)
    }
    const found = await committedOutputs(cluster.kafka, marks)
    checkEqual(proof, `over ${parallelisms.join(' → ')} subtasks`, found, untilChange.outputs, refusals)

    await writer.updates(changedModels.records)
    const changedMarks = await topicEnds(cluster.kafka, outputTopics)
    const changedConfig = writeScenarioProject(join(proof.folder, 'after'), fleetSeed, fleetOptions, changedText)
    const states = { shape: stateShape(changedPlan), earlierShapes: [stateShape(fleetPlan)] }
    const changed = await bundleInto(
      join(proof.folder, 'after-guest'),
      changedConfig,
      changedPlan,
      fleetSettings,
      states,
    )
    await job.start(changed, parallelisms.at(-1) ?? 1)
    const last = parts.at(-1) as FleetPart
    await writer.records(last.records)
    await writer.time(fleetEndMs)
    const wanted = outputsAfter(fleet, changedModels, changeMs)
    // Another script judges all anew: it takes none of the models that were made for the project before. Their number of features is
    // looked at before the order of them.
    const refusedThen = [
      ...refusals.map((reason) => (reason === 'feature-order-differs' ? 'feature-count-differs' : reason)),
      ...[...models.packages].map(() => 'feature-count-differs'),
      ...changedModels.refusals,
    ]
    await awaitCommitted(cluster.kafka, changedMarks, wanted.length + refusedThen.length, committedSecondsMax)
    await job.stop()
    const foundThen = await committedOutputs(cluster.kafka, changedMarks)
    checkUpgraded(proof, foundThen, wanted, openWindows(fleet, changeMs))
    checkRefusals(proof, 'after the change', foundThen, refusedThen)
  } finally {
    await flink.close()
    await writer.close()
  }
}

/** Records of a fleet in some time, and its end. */
interface FleetPart {
  readonly records: GeneratedFleet['records']
  readonly toMs: number
}

/** Cuts a fleet into parts of about as many records, at moments between them. */
function partsOf({ records }: GeneratedFleet, count: number): FleetPart[] {
  const ends = Array.from({ length: count }, (_, i) => {
    return records[Math.ceil(((i + 1) * records.length) / count) - 1]?.appendTimeMs ?? fleetEndMs
  })
  return ends.map((toMs, i) => {
    const fromMs = ends[i - 1] ?? Number.NEGATIVE_INFINITY
    return { records: records.filter(({ appendTimeMs }) => appendTimeMs > fromMs && appendTimeMs <= toMs), toMs }
  })
}

/** One job after another, each from the savepoint of the one before. */
class StagedJob {
  readonly #cluster: DevelopmentCluster
  readonly #flink: FlinkClient
  readonly #jarId: string
  #jobId = ''
  #savepoint: string | null = null

  constructor(cluster: DevelopmentCluster, flink: FlinkClient, jarId: string) {
    this.#cluster = cluster
    this.#flink = flink
    this.#jarId = jarId
  }

  async start(guest: string, parallelism: number): Promise<void> {
    const args = ['--kafka', this.#cluster.bootstrapServers.join(','), '--guest', guest]
    const from = this.#savepoint === null ? {} : { savepointPath: this.#savepoint }
    this.#jobId = await this.#flink.runJar(this.#jarId, { args, parallelism, configuration, ...from })
    await awaitRunning(this.#flink, this.#jobId)
  }

  async stop(): Promise<void> {
    this.#savepoint = await this.#flink.stopWithSavepoint(this.#jobId)
  }
}

/** What the changed project gives after the change, where it has run from the beginning. */
function outputsAfter(fleet: GeneratedFleet, models: ReturnType<typeof modelsFor>, changeMs: number): StepOutput[] {
  const whole = byDeviceAndTopic(operatorSays(fleet, changedPlan, models).outputs)
  const until = byDeviceAndTopic(operatorSays(fleet, changedPlan, models, { toMs: changeMs }).outputs)
  return [...whole].flatMap(([group, outputs]) => outputs.slice(until.get(group)?.length ?? 0))
}

/** Windows that had readings before the change: what the new feature was then, nobody knows. */
function openWindows(fleet: GeneratedFleet, changeMs: number): Set<string> {
  const noModels = { records: [], activations: [], refusals: [], packages: new Map(), partCountMax: 0 }
  const { outputs } = operatorSays(fleet, fleetPlan, noModels, { toMs: changeMs, ends: true })
  return new Set(outputs.filter(({ topic }) => topic === 'device-features').map(({ line }) => windowOf(line)))
}

function windowOf(line: string): string {
  const { deviceId, windowStart } = JSON.parse(line) as DeviceFeatures
  return `${deviceId} ${windowStart}`
}

/** Each record is the one that the changed project gives from the beginning, or misses the new feature where its window had begun before. */
function checkUpgraded(
  proof: Proof,
  found: readonly StepOutput[],
  wanted: readonly StepOutput[],
  open: ReadonlySet<string>,
): void {
  const ours = byDeviceAndTopic(found.filter((output) => !isRefusal(output)))
  let [equalCount, missingCount] = [0, 0]
  const wrong: string[] = []
  for (const [group, outputs] of byDeviceAndTopic(wanted)) {
    const sorted = (lines: readonly StepOutput[]): string[] =>
      group.endsWith(' of no device') ? lines.map(({ line }) => line).sort() : lines.map(({ line }) => line)
    const [lines, wantedLines] = [sorted(ours.get(group) ?? []), sorted(outputs)]
    ours.delete(group)
    for (let i = 0; i < Math.max(lines.length, wantedLines.length); i++) {
      const [line = 'none', wantedLine = 'none'] = [lines[i], wantedLines[i]]
      if (line === wantedLine) equalCount += 1
      else if (withoutNew(line) === withoutNew(wantedLine) && open.has(windowOf(line))) missingCount += 1
      else wrong.push(`${group}, message ${i}:\n    ${line}\n    wanted ${wantedLine}`)
    }
  }
  wrong.push(...[...ours.keys()].map((group) => `${group}: nothing wanted`))
  for (const text of wrong.slice(0, 3)) proof.say(text)
  proof.check(
    equalCount > 0 && missingCount > 0 && wrong.length === 0,
    `with a new feature ${equalCount} records equal a replay of the changed project, ${missingCount} miss the new feature, all of windows that had begun before (${wrong.length} differ)`,
  )
}

/** A record as it is where the new feature is not known; one that has no features as it is. */
function withoutNew(line: string): string {
  const record = line.startsWith('{"deviceId"') ? (JSON.parse(line) as Partial<DeviceFeatures>) : {}
  if (record.features === undefined) return line
  return JSON.stringify({ ...record, features: { ...record.features, [newFeature]: null } })
}
