import { partHeadBytes, seenEverywhereMs } from '@millwright/cluster/kafka'
import { type LoadedModel, type ModelUpdate, outputTopics, type Plan } from '@millwright/core'
import { type KafkaConnection, TopicReader } from '@millwright/gateways/kafka'
import { createDirectEngine, type RunResult, type Step, type StepOutput } from '@millwright/testkit'
import { isPart } from '../../../packages/cli/src/kafka/package-assembly.ts'
import { loadPackage } from '../../../packages/cli/src/models/load-package.ts'
import { differences } from './kafka-outputs.ts'
import { sha256Hex } from './packages.ts'
import type { Proof } from './proof.ts'
import { inForceByRule, SwapAudit } from './swap-audit.ts'
import type { SwapLoadResult } from './swap-load.ts'

/** What is known of a run whose topics are to be looked at. */
export interface AuditedRun {
  readonly plan: Plan
  readonly sent: SwapLoadResult
  readonly highWhenCalm: (version: string) => boolean
}

/** An activation of a package that is on the topic, whole and sound. */
interface SoundActivation {
  readonly model: LoadedModel
  readonly version: string
  readonly activeFromMs: number
  readonly seenAtMs: number
}

/** Holds what came out on Kafka to what went in: by the rule, and by the operator over the same records. Partition by partition. */
export async function auditTopics(proof: Proof, connection: KafkaConnection, run: AuditedRun): Promise<void> {
  const { plan, sent, highWhenCalm } = run
  const activations = await soundActivations(connection, plan)
  const inForce = inForceByRule(activations)
  const audit = new SwapAudit(highWhenCalm)
  const different: string[] = []
  let comparedCount = 0
  const devicesByVersion = new Map<string, Set<string>>()
  for (let partition = 0; partition < 3; partition++) {
    const steps: Step[] = activations.map(({ model: { version }, activeFromMs, seenAtMs }) => {
      const model = { version, probability: Number.NaN, threshold: Number.NaN }
      return { kind: 'activate', model, activeFromMs, appendTimeMs: seenAtMs }
    })
    let batch: { appendTimeMs: number; lines: string[] } = { appendTimeMs: Number.NaN, lines: [] }
    const endBatch = (): void => {
      const { appendTimeMs, lines } = batch
      if (lines.length > 0) steps.push({ kind: 'readings', bytes: Buffer.from(`${lines.join('\n')}\n`), appendTimeMs })
    }
    for await (const { offset, appendTimeMs, value } of recordsOf(connection, 'sensor-data', partition)) {
      // An empty record carries time.
      if (value.length === 0) continue
      const line = Buffer.from(value).toString()
      audit.reading({ offset, appendTimeMs, line }, inForce)
      if (appendTimeMs !== batch.appendTimeMs) {
        endBatch()
        batch = { appendTimeMs, lines: [] }
      }
      batch.lines.push(line)
    }
    endBatch()
    const found: StepOutput[] = []
    for (const topic of outputTopics)
      for await (const { key, value } of recordsOf(connection, topic, partition)) {
        const line = Buffer.from(value).toString()
        // Of no device: what was refused, which is looked at by itself.
        if (key === null || key === '') continue
        if (topic === 'device-features') audit.features(line, null)
        found.push({ topic, deviceId: key, line, step: null })
      }
    for (const { topic, line, deviceId } of found)
      if (topic === 'alert-signals') {
        audit.alert(line, null)
        const { version } = (JSON.parse(line) as { model: { version: string } }).model
        const devices = devicesByVersion.get(version) ?? new Set()
        devicesByVersion.set(version, devices.add(deviceId ?? ''))
      }
    const wanted = operatorSays(plan, activations, steps)
    comparedCount += found.length
    different.push(...differences(found, wanted))
  }
  audit.report(proof, sent)
  for (const text of different.slice(0, 3)) proof.say(text)
  proof.check(
    comparedCount > 0 && different.length === 0,
    `${comparedCount} records equal a replay with the same activations, device by device, byte for byte (${different.length} sequences differ)`,
  )
  const deviceCount = Math.max(...[...devicesByVersion.values()].map((devices) => devices.size))
  const partly = activations.filter(({ version }) => (devicesByVersion.get(version)?.size ?? 0) < deviceCount)
  proof.check(
    partly.length === 0 && devicesByVersion.size === activations.length,
    `each of ${activations.length} versions scored windows of each of ${deviceCount} devices, so in all subtasks`,
  )
}

/** Outputs of the operator over one partition. */
function operatorSays(plan: Plan, activations: readonly SoundActivation[], steps: readonly Step[]): StepOutput[] {
  const engine = createDirectEngine({
    loadModel: ({ version }) => {
      const found = activations.find((activation) => activation.version === version)
      if (found === undefined) throw new Error(`${version} was activated`)
      return found.model
    },
  })
  const timeOf = (step: Step): number => ('appendTimeMs' in step ? step.appendTimeMs : Number.POSITIVE_INFINITY)
  const inOrder = [...steps].sort((a, b) => timeOf(a) - timeOf(b))
  return [...(engine.run(plan, inOrder) as RunResult).outputs]
}

/** Activations on the topic whose package is there, whole, and taken by the plan; by parts put together here, by name and hash. */
async function soundActivations(connection: KafkaConnection, plan: Plan): Promise<SoundActivation[]> {
  const parts = new Map<string, Buffer[]>()
  const updates: { update: ModelUpdate; seenAtMs: number }[] = []
  for await (const { value, appendTimeMs } of recordsOf(connection, 'model-updates', 0)) {
    const bytes = Buffer.from(value)
    if (isPart(value)) {
      const sha256 = bytes.subarray(16, partHeadBytes).toString('hex')
      parts.set(sha256, [...(parts.get(sha256) ?? []), bytes.subarray(partHeadBytes)])
    } else if (bytes.toString().startsWith('{"name":'))
      updates.push({ update: JSON.parse(bytes.toString()) as ModelUpdate, seenAtMs: appendTimeMs + seenEverywhereMs })
  }
  return updates.flatMap(({ update, seenAtMs }) => {
    const bytes = Buffer.concat(parts.get(update.sha256) ?? [])
    // The proof's own sound packages; what is hostile has other names.
    if (!update.version.startsWith('swap-') || sha256Hex(bytes) !== update.sha256) return []
    const { version, activeFrom } = update
    return [{ model: loadPackage(bytes, plan), version, activeFromMs: activeFrom, seenAtMs }]
  })
}

async function* recordsOf(connection: KafkaConnection, topic: string, partition: number) {
  const reader = await TopicReader.open(connection, topic)
  try {
    yield* reader.read({ partition, from: 0 })
  } finally {
    await reader.close()
  }
}
