import { loadPackage } from '../../../packages/cli/src/models/load-package.ts'
import { buildOperator } from '../../../packages/cli/src/plant/build-operator.ts'
import type { OutputTopic, Plan } from '../../../packages/core/src/index.ts'
import type { KafkaRecord } from '../../../packages/gateways/src/kafka/index.ts'
import type { FoundInput } from './found-input.ts'

/** What came out for one device on one topic, in its order; of no device (`''`), sorted, since several partitions give them. */
export type Outputs = ReadonlyMap<OutputTopic, ReadonlyMap<string, readonly string[]>>

/** An activation, as `model-updates` has it. */
export interface FoundActivation {
  readonly version: string
  readonly activeFromMs: number
  readonly seenAtMs: number
}

/** The records of one partition number, of both topics that come in. */
export interface PartitionInput {
  readonly readings: readonly KafkaRecord[]
  readonly events: readonly KafkaRecord[]
}

/**
 * Returns what the operator itself gives for the input as it stands in Kafka, partition by partition, in the order of the append times that the
 * logs gave: of equal ones readings before events. No engine, no state that is taken and restored, no second try.
 *
 * @param activations In the order in which they were seen.
 * @param packageOf Bytes of a version of the model.
 */
export function expectedOutputs(
  plan: Plan,
  activations: readonly FoundActivation[],
  packageOf: (version: string) => Uint8Array,
  { partitions, reachedMs }: Pick<FoundInput, 'partitions' | 'reachedMs'>,
): Outputs {
  const outputs: Collected[] = []
  const models = activations.map(({ version, activeFromMs, seenAtMs }) => {
    return { model: loadPackage(packageOf(version), plan), activeFromMs, seenAtMs }
  })
  for (const { readings, events } of partitions) {
    const operator = buildOperator(plan, {
      emit: (topic, deviceId, _offset, line) => void outputs.push({ topic, key: deviceId ?? '', line }),
    })
    const moments = [
      ...[...sameMoments(readings)].map((moment) => ({ ...moment, take: operator.readings.bind(operator) })),
      ...[...sameMoments(events)].map((moment) => ({ ...moment, take: operator.deviceEvents.bind(operator) })),
    ]
    // Stable: of one time readings stay before events.
    moments.sort((a, b) => a.appendTimeMs - b.appendTimeMs)
    let seen = 0
    const seeUntil = (timeMs: number): void => {
      for (; (models[seen]?.seenAtMs ?? Number.POSITIVE_INFINITY) < timeMs; seen++)
        operator.activate(models[seen] as (typeof models)[number], 0)
    }
    for (const { appendTimeMs, offset, values, take } of moments) {
      seeUntil(appendTimeMs)
      if (values.length > 0) take(Buffer.concat(values), offset, appendTimeMs)
    }
    seeUntil(reachedMs)
    operator.heartbeat(reachedMs, readings.length)
    operator.flush()
  }
  return collect(outputs)
}

interface Collected {
  readonly topic: OutputTopic
  readonly key: string
  readonly line: string
}

/** Puts outputs by topic and device, in the order in which they are given. */
export function collect(outputs: Iterable<Collected>): Outputs {
  const topics = new Map<OutputTopic, Map<string, string[]>>()
  for (const { topic, key, line } of outputs) {
    const devices = topics.get(topic) ?? new Map<string, string[]>()
    topics.set(topic, devices)
    const lines = devices.get(key)
    if (lines === undefined) devices.set(key, [line])
    else lines.push(line)
  }
  for (const devices of topics.values()) devices.get('')?.sort()
  return topics
}

/** Returns where two differ, in words; `null` where each device has the same lines. */
export function differenceOf(topic: OutputTopic, wanted: Outputs, found: Outputs): string | null {
  const [wantedDevices, foundDevices] = [wanted.get(topic) ?? new Map(), found.get(topic) ?? new Map()]
  for (const device of new Set<string>([...wantedDevices.keys(), ...foundDevices.keys()])) {
    const wantedLines: readonly string[] = wantedDevices.get(device) ?? []
    const foundLines: readonly string[] = foundDevices.get(device) ?? []
    const at = Array.from({ length: Math.max(wantedLines.length, foundLines.length) }).findIndex(
      (_, i) => wantedLines[i] !== foundLines[i],
    )
    if (at >= 0)
      return `record ${at} of ${device === '' ? 'no device' : device} (${foundLines.length} found, ${wantedLines.length} wanted) is\n    ${foundLines[at]}\n  instead of\n    ${wantedLines[at]}`
  }
  return null
}

export function countOf(topic: OutputTopic, outputs: Outputs): number {
  return [...(outputs.get(topic)?.values() ?? [])].reduce((sum, lines) => sum + lines.length, 0)
}

const newline = Buffer.from('\n')

/** Puts records together that one batch gave one append time; empty ones carry time only. */
function* sameMoments(
  records: readonly KafkaRecord[],
): Generator<{ readonly appendTimeMs: number; readonly offset: number; readonly values: readonly Uint8Array[] }> {
  for (let from = 0; from < records.length; ) {
    const { appendTimeMs, offset } = records[from] as KafkaRecord
    const values: Uint8Array[] = []
    let to = from
    for (; records[to]?.appendTimeMs === appendTimeMs; to++) {
      const { value } = records[to] as KafkaRecord
      if (value.length > 0) values.push(value, newline)
    }
    yield { appendTimeMs, offset, values }
    from = to
  }
}
