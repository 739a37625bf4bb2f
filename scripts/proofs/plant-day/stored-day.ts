import type { DeviceStatus, LoadedModel, ModelUpdate, OutputTopic, Plan } from '@millwright/core'
import { isHeartbeatDevice } from '@millwright/core'
import { buildOperator } from '../../../packages/cli/src/plant/build-operator.ts'
import type { Proof } from '../support/proof.ts'
import { partitionsOf, type StoredInput, storedInput, storedOutputs } from '../support/stored-frames.ts'
import type { PlantFeed } from './plant-feed.ts'

const topics: readonly OutputTopic[] = [
  'device-features',
  'alert-signals',
  'late-readings',
  'dead-letters',
  'device-status',
]

/** One message of the plant, with the append time of the record that caused it. */
export interface CausedMessage {
  readonly deviceId: string
  readonly causedAtMs: number
  readonly line: string
}

/** Messages of a topic about machines, in the order of append time; the plant's own heartbeat is left out. */
export function storedMessages(data: string, topic: OutputTopic): CausedMessage[] {
  const messages: CausedMessage[] = []
  for (const partition of partitionsOf(data)) {
    const frames = [...storedInput(data, partition)]
    let at = 0
    for (const { inputOffset, key, value } of storedOutputs(data, topic, partition)) {
      if (key === null || isHeartbeatDevice(key)) continue
      while ((frames[at + 1]?.baseOffset ?? Number.POSITIVE_INFINITY) <= inputOffset) at += 1
      const causedAtMs = frames[at]?.appendTimeMs
      if (causedAtMs === undefined) throw new Error(`nothing in the log caused ${value}`)
      messages.push({ deviceId: key, causedAtMs, line: value })
    }
  }
  return messages.sort((a, b) => a.causedAtMs - b.causedAtMs)
}

/** The silence of a machine as the log has it; append times, milliseconds. */
export interface StoredSilence {
  readonly deviceId: string
  /** When it is said to begin. */
  readonly at: number
  /** Of the machine's last record before. */
  readonly heardMs: number
  /** Of the record that had it told. */
  readonly toldMs: number
  /** Of the partition's first heartbeat at or after `at`: while the machine says nothing, nothing tells of it sooner. */
  readonly heartbeatMs: number
}

/** The silences of machines; one that was never heard of, or never followed by a heartbeat, has NaN there. */
export function storedSilences(data: string): StoredSilence[] {
  return partitionsOf(data).flatMap((partition) => {
    const frames = [...storedInput(data, partition)]
    return [...storedOutputs(data, 'device-status', partition)].flatMap(({ inputOffset, value }): StoredSilence[] => {
      const { deviceId, kind, at } = JSON.parse(value) as DeviceStatus
      if (kind !== 'device-silent' || isHeartbeatDevice(deviceId)) return []
      const told = frames.findLastIndex(({ baseOffset }) => baseOffset <= inputOffset)
      const heard = frames.findLast(({ body }, i) => i < told && body.includes(`"deviceId":"${deviceId}"`))
      const heartbeat = frames.find((frame) => frame.kind === 'heartbeat' && frame.appendTimeMs >= at)
      const timeOf = (frame: StoredInput | undefined): number => frame?.appendTimeMs ?? Number.NaN
      return [{ deviceId, at, heardMs: timeOf(heard), toldMs: timeOf(frames[told]), heartbeatMs: timeOf(heartbeat) }]
    })
  })
}

/** Holds the log to what was acknowledged, and what came out of it to what the operators make of the log. */
export function auditDay(
  proof: Proof,
  day: {
    readonly data: string
    readonly plan: Plan
    readonly model: LoadedModel
    readonly feed: Pick<PlantFeed, 'acknowledged' | 'sentAgain'>
  },
): void {
  const { data, plan, model, feed } = day
  const { acknowledged, sentAgain } = feed
  const times = new Map<string, number>()
  for (const partition of partitionsOf(data))
    for (const input of storedInput(data, partition))
      if (input.kind === 'readings') for (const line of linesOf(input)) times.set(line, (times.get(line) ?? 0) + 1)
  const lost = acknowledged.filter((line) => !times.has(line)).length
  const doubled = acknowledged.filter((line) => (times.get(line) ?? 0) > 1 && !sentAgain.has(line)).length
  const own = [...times.keys()].filter((line) => isHeartbeatDevice((JSON.parse(line) as { deviceId: string }).deviceId))
  proof.check(
    acknowledged.length > 0 && lost === 0 && doubled === 0,
    `each of ${acknowledged.length} acknowledged readings is in the log (${lost} are not), and once (${doubled} are not) but for ${sentAgain.size} that had to be sent again`,
  )
  const others = times.size - own.length - acknowledged.length
  proof.check(others === 0, `beside them there are the heartbeat's ${own.length} readings alone (${others} others)`)
  const folded = foldLog(data, plan, model)
  for (const topic of topics) {
    const stored = byDevice(
      partitionsOf(data).flatMap((partition) => [...storedOutputs(data, topic, partition)]),
      ({ key, value }) => [key, value],
    )
    const wanted = byDevice(folded.get(topic) ?? [], ({ deviceId, line }) => [deviceId, line])
    const different = [...new Set([...stored.keys(), ...wanted.keys()])].filter(
      (device) => stored.get(device)?.join('\n') !== wanted.get(device)?.join('\n'),
    )
    const count = [...stored.values()].reduce((sum, lines) => sum + lines.length, 0)
    proof.check(different.length === 0, `${topic} equals a replay of the log, device by device: ${count} records`)
  }
}

interface FoldedMessage {
  readonly deviceId: string | null
  readonly line: string
}

/** What the operators make of the log as it stands. */
function foldLog(data: string, plan: Plan, model: LoadedModel): Map<OutputTopic, FoldedMessage[]> {
  const folded = new Map<OutputTopic, FoldedMessage[]>()
  for (const partition of partitionsOf(data)) {
    const operator = buildOperator(plan, {
      emit: (topic, deviceId, _offset, line) => {
        const messages = folded.get(topic)
        if (messages === undefined) folded.set(topic, [{ deviceId, line }])
        else messages.push({ deviceId, line })
      },
    })
    for (const { kind, baseOffset, appendTimeMs, body } of storedInput(data, partition)) {
      if (kind === 'readings') operator.readings(Uint8Array.from(body), baseOffset, appendTimeMs)
      else if (kind === 'device-events') operator.deviceEvents(Uint8Array.from(body), baseOffset, appendTimeMs)
      else if (kind === 'heartbeat') operator.heartbeat(appendTimeMs, baseOffset)
      else {
        const { activeFrom } = JSON.parse(body.toString()) as ModelUpdate
        operator.activate({ model, activeFromMs: activeFrom, seenAtMs: appendTimeMs }, baseOffset)
      }
    }
    operator.flush()
  }
  return folded
}

function linesOf({ body }: StoredInput): string[] {
  return body
    .toString()
    .split('\n')
    .filter((line) => line !== '')
}

function byDevice<T>(
  messages: readonly T[],
  read: (message: T) => readonly [string | null, string],
): Map<string | null, string[]> {
  const groups = new Map<string | null, string[]>()
  for (const message of messages) {
    const [device, line] = read(message)
    const group = groups.get(device)
    if (group === undefined) groups.set(device, [line])
    else group.push(line)
  }
  return groups
}
