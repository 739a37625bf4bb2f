/**
 * What an upgrade promises, over random histories and random pairs of plans: half the input under one plan, the other half under
 * another that takes its states over, against the other plan over everything from the start.
 */
import type { DeviceStateEntry, FeatureNode, OutputTopic, PartitionOperator, Plan, WindowNode } from '@millwright/core'
import {
  offsetsOf,
  plainDecoder,
  randomScenario,
  type ScenarioOptions,
  type Step,
  scenarioFeatures,
  seededRandom,
} from '@millwright/testkit'
import { describe, expect, test } from 'vitest'
import { innerFeatures } from './accumulators/layout.ts'
import { ownLookBack } from './features/look-back.ts'
import { compareStateShapes, createPartitionOperator, type StateShape, stateShape } from './index.ts'

const aggregate = (statistic: string, channel: string): FeatureNode =>
  ({ kind: 'aggregate', statistic, channel }) as FeatureNode
const rolling = (statistic: string, of: FeatureNode, windows: number): FeatureNode =>
  ({ kind: 'rolling', statistic, of, windows }) as FeatureNode

/** Features of every kind, and some that look back on others that look back. */
const pool: Readonly<Record<string, FeatureNode>> = {
  ...scenarioFeatures,
  countB: aggregate('count', 'b'),
  stdB: aggregate('std', 'b'),
  maxB: aggregate('max', 'b'),
  firstB: aggregate('first', 'b'),
  kurtosisB: aggregate('kurtosis', 'b'),
  quantileB: { kind: 'quantile', channel: 'b', q: 0.75 },
  lagFar: { kind: 'lag', of: aggregate('mean', 'a'), windows: 5 },
  lagOfQuantile: { kind: 'lag', of: { kind: 'quantile', channel: 'b', q: 0.5 }, windows: 1 },
  rollingMin: rolling('min', aggregate('range', 'a'), 3),
  rollingFar: rolling('mean', aggregate('mean', 'b'), 6),
  rollingOfRolling: rolling('mean', rolling('max', aggregate('max', 'b'), 2), 3),
  rollingOfDerived: rolling('max', derivedOf('max', 'b', Number.NEGATIVE_INFINITY), 3),
  derivedOfMissing: derivedOf('kurtosis', 'a', -1),
  notes: { kind: 'count-of', eventType: 'note', hours: 0.01 },
  hoursSinceNote: { kind: 'hours-since', eventType: 'note' },
  lagOfErrors: { kind: 'lag', of: { kind: 'count-of', eventType: 'error', hours: 0.005 }, windows: 1 },
}

/** A function that makes a number of what is missing: what is not known must not come to it as missing. */
function derivedOf(statistic: string, channel: string, instead: number): FeatureNode {
  const compute = (value: number): number => (Number.isNaN(value) ? Math.max(instead, -1e6) : value)
  return { kind: 'derived', of: [aggregate(statistic, channel)], compute: compute as (...values: number[]) => number }
}

interface Output {
  readonly topic: OutputTopic
  readonly deviceId: string | null
  readonly line: string
}

interface Stage {
  readonly operator: PartitionOperator
  readonly outputs: Output[]
}

function stageOf(plan: Plan, earlierShapes: readonly StateShape[] = []): Stage {
  const outputs: Output[] = []
  const emit = (topic: OutputTopic, deviceId: string | null, _offset: number, line: string): void => {
    outputs.push({ topic, deviceId, line })
  }
  return {
    outputs,
    operator: createPartitionOperator({ plan, decoder: plainDecoder(plan), sink: { emit }, earlierShapes }),
  }
}

function apply({ operator }: Stage, steps: readonly Step[], from: number, to: number): void {
  let offset = 0
  for (const [index, step] of steps.entries()) {
    if (index >= from && index < to) {
      if (step.kind === 'readings') operator.readings(step.bytes, offset, step.appendTimeMs)
      if (step.kind === 'events') operator.deviceEvents(step.bytes, offset, step.appendTimeMs)
      if (step.kind === 'heartbeat') operator.heartbeat(step.appendTimeMs, offset)
      if (step.kind === 'end') operator.endOfInput(offset)
    }
    offset += offsetsOf(step)
  }
  operator.flush()
}

function statesOf(stage: Stage): DeviceStateEntry[] {
  return stage.operator.takeDirty().filter(({ state }) => state !== null)
}

/** Goes on under another plan: restores in another order, and puts the states of several plans side by side. */
function upgrade(before: Stage, plan: Plan, earlierShapes: readonly StateShape[], states = statesOf(before)): Stage {
  const after = stageOf(plan, earlierShapes)
  for (const entry of [...states].reverse()) after.operator.restore(entry)
  after.operator.restoreShared({ ...before.operator.takeShared(), activations: [] }, () => {
    throw new Error('there are no activations')
  })
  return after
}

const windows: readonly WindowNode[] = [
  { kind: 'tumbling', sizeMs: 5000 },
  { kind: 'tumbling', sizeMs: 60_000 },
  { kind: 'hopping', sizeMs: 10_000, slideMs: 4000 },
  { kind: 'hopping', sizeMs: 12_000, slideMs: 4000 },
  { kind: 'session', gapMs: 4000 },
  { kind: 'per-reading' },
]
const variants: readonly Omit<ScenarioOptions, 'window'>[] = [{}, { appendTimes: false }, { timestamp: 'arrival' }]
const seedCount = Number(process.env['MILLWRIGHT_SEEDS'] ?? 5)

interface Case {
  readonly name: string
  readonly steps: readonly Step[]
  /** Three plans that differ in their features. */
  readonly plans: readonly [Plan, Plan, Plan]
  readonly random: () => number
}

function overCases(check: (found: Case) => void): void {
  for (const window of windows)
    for (const [variant, options] of variants.entries())
      for (let seed = 1; seed <= seedCount; seed++) {
        const { plan, steps } = randomScenario(77 * seed + 5, { window, ...options, stepCount: 160 })
        const random = seededRandom(1000 * seed + variant)
        const some = (): Plan => {
          const share = 0.1 + 0.8 * random()
          const names = Object.keys(pool).filter((name) => name === 'count' || random() < share)
          return { ...plan, features: names.map((name) => ({ name, unit: '1', node: pool[name] as FeatureNode })) }
        }
        check({ name: `${JSON.stringify(window)} ${variant}/${seed}`, steps, plans: [some(), some(), some()], random })
      }
}

interface FeaturesMessage {
  readonly deviceId: string
  readonly windowStart: number
  readonly windowEnd: number
  readonly features: Readonly<Record<string, number | null>>
}

/** Outputs of each device and topic, in order. */
function grouped(outputs: readonly Output[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { topic, deviceId, line } of outputs) {
    const key = `${topic} of ${deviceId}`
    groups.set(key, [...(groups.get(key) ?? []), line])
  }
  return groups
}

/** Windows before a window that its feature rests on, those of inner features added up. */
function lookBackOf(node: FeatureNode): number {
  return ownLookBack(node) + Math.max(0, ...innerFeatures(node).map(lookBackOf))
}

function contains(node: FeatureNode, kind: FeatureNode['kind']): boolean {
  return node.kind === kind || innerFeatures(node).some((inner) => contains(inner, kind))
}

const clockOf = ({ state }: DeviceStateEntry): number =>
  new DataView((state as Uint8Array).buffer, (state as Uint8Array).byteOffset).getFloat64(6, true)

describe('an operator that takes over the states of another plan', () => {
  test('gives what it would have given from the start, or says that it is missing', () => {
    const seen = { kept: 0, newEqual: 0, newMissing: 0, newAfter: 0, lookingBack: 0, counts: 0 }
    overCases(({ name, steps, plans: [a, b], random }) => {
      expect(compareStateShapes(stateShape(a), stateShape(b)).problems).toEqual([])
      const change = Math.floor(steps.length * (0.2 + 0.5 * random()))
      const before = stageOf(a)
      apply(before, steps, 0, change)
      const states = statesOf(before)
      const clocks = new Map(states.map((entry) => [entry.deviceId, clockOf(entry)]))
      const after = upgrade(before, b, [stateShape(a)], states)
      apply(after, steps, change, steps.length)
      const whole = stageOf(b)
      apply(whole, steps, 0, change)
      whole.outputs.length = 0
      apply(whole, steps, change, steps.length)

      const found = grouped(after.outputs)
      const wanted = grouped(whole.outputs)
      expect([...found.keys()].sort(), name).toEqual([...wanted.keys()].sort())
      const old = new Set(a.features.map((feature) => feature.name))
      for (const [key, lines] of found) {
        const others = wanted.get(key) ?? []
        if (!key.startsWith('device-features')) {
          expect(lines, `${name} ${key}`).toEqual(others)
          continue
        }
        expect(lines.length, `${name} ${key}`).toBe(others.length)
        const startsAfter = new Set<number>()
        // One that comes out of order leaves a gap in what later ones look back on, until they all are behind it.
        let inOrder = true
        for (const [i, line] of lines.entries()) {
          const one = JSON.parse(line) as FeaturesMessage
          const other = JSON.parse(others[i] as string) as FeaturesMessage
          expect({ ...one, features: null }, name).toEqual({ ...other, features: null })
          const wholly = one.windowStart > (clocks.get(one.deviceId) ?? Number.NEGATIVE_INFINITY)
          const windowsAfter = [...startsAfter].filter((startMs) => startMs < one.windowStart).length
          if (wholly && !startsAfter.has(one.windowStart)) inOrder &&= Math.max(0, ...startsAfter) < one.windowStart
          if (wholly) startsAfter.add(one.windowStart)
          for (const { name: feature, node } of b.features) {
            const [x, y] = [one.features[feature], other.features[feature]]
            const where = `${feature} of window ${i} of ${key}, changed at ${change}, ${name}: ${x}, wanted ${y}`
            const lookBack = lookBackOf(node)
            if (old.has(feature)) {
              expect(x, where).toBe(y)
              seen.kept += 1
              continue
            }
            // Means begin anew, and a function sees an event that is too long ago as missing: both are told.
            if (contains(node, 'exponential-mean') || (node.kind === 'derived' && contains(node, 'hours-since')))
              continue
            if (x !== null) expect(x, where).toBe(y)
            if (x !== null) seen.newEqual += 1
            if (x === null && y !== null) seen.newMissing += 1
            if (node.kind === 'count-of' && x !== null) seen.counts += 1
            if (contains(node, 'hours-since') || contains(node, 'count-of')) continue
            if (wholly && windowsAfter >= lookBack && (lookBack === 0 || inOrder)) {
              expect(x, `${where}; nothing before the change counts`).toBe(y)
              if (lookBack > 0) seen.lookingBack += 1
              else seen.newAfter += 1
            }
          }
        }
      }
    })
    console.log(seen)
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(100)
  })
})
