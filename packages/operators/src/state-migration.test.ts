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
import { createPartitionOperator, type StateShape, stateShape, stateShapeHash } from './index.ts'

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
  rollingFar: rolling('mean', aggregate('mean', 'b'), 12),
  rollingFarther: rolling('min', aggregate('max', 'a'), 24),
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
const seedCount = Number(process.env['MILLWRIGHT_SEEDS'] ?? 3)

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
          // At times a plan of few features, which knows nothing of a channel, or keeps no history.
          const share = random() < 0.4 ? 0.06 : 0.1 + 0.8 * random()
          const remembers = random() < 0.7
          const names = Object.keys(pool).filter((name) => {
            const wanted = random() < share && (remembers || lookBackOf(pool[name] as FeatureNode) === 0)
            return wanted || name === 'count'
          })
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

/** One feature of one result of the upgraded operator, beside that of the operator which ran from the start. */
interface Pair {
  readonly result: FeaturesMessage
  readonly feature: string
  readonly node: FeatureNode
  readonly found: number | null
  readonly wanted: number | null
  readonly where: string
}

/** Expects two runs to agree in all but features, and hands over each feature of each result, device by device. */
function overPairs(name: string, plan: Plan, found: Stage, wanted: Stage, check: (pair: Pair) => void): void {
  const [foundGroups, wantedGroups] = [grouped(found.outputs), grouped(wanted.outputs)]
  expect([...foundGroups.keys()].sort(), name).toEqual([...wantedGroups.keys()].sort())
  for (const [key, lines] of foundGroups) {
    const others = wantedGroups.get(key) ?? []
    if (!key.startsWith('device-features')) {
      expect(lines, `${name} ${key}`).toEqual(others)
      continue
    }
    expect(lines.length, `${name} ${key}`).toBe(others.length)
    for (const [i, line] of lines.entries()) {
      const one = JSON.parse(line) as FeaturesMessage
      const other = JSON.parse(others[i] as string) as FeaturesMessage
      expect({ ...one, features: null }, name).toEqual({ ...other, features: null })
      for (const { name: feature, node } of plan.features) {
        const [x, y] = [one.features[feature] ?? null, other.features[feature] ?? null]
        const where = `${feature} of window ${i} of ${key}, ${name}: ${x}, wanted ${y}`
        check({ result: one, feature, node, found: x, wanted: y, where })
      }
    }
  }
}

/** Whether a new feature may differ: means begin anew, and a function sees an event of before the change as missing. Both are told. */
function mayDiffer(node: FeatureNode): boolean {
  return contains(node, 'exponential-mean') || (node.kind === 'derived' && contains(node, 'hours-since'))
}

/** Which of a device's windows lie behind the change, as its results come. */
class WindowsAfter {
  readonly #starts = new Set<number>()
  /** One that comes out of order leaves a gap in what later ones look back on, until they all are behind it. */
  #inOrder = true

  add(startMs: number): void {
    if (this.#starts.has(startMs)) return
    this.#inOrder &&= Math.max(0, ...this.#starts) < startMs
    this.#starts.add(startMs)
  }

  /** Whether as many windows stand before this one as a feature looks back. */
  reach(startMs: number, lookBack: number): boolean {
    if (lookBack === 0) return true
    return this.#inOrder && [...this.#starts].filter((other) => other < startMs).length >= lookBack
  }
}

const shapeHashOf = (state: Uint8Array): number => new DataView(state.buffer, state.byteOffset).getUint32(1, true)

const clockOf = ({ state }: DeviceStateEntry): number =>
  new DataView((state as Uint8Array).buffer, (state as Uint8Array).byteOffset).getFloat64(6, true)

describe('an operator that takes over the states of another plan', () => {
  test('gives what it would have given from the start, or says that it is missing', () => {
    const seen = { kept: 0, newEqual: 0, newMissing: 0, newAfter: 0, lookingBack: 0, counts: 0 }
    overCases(({ name, steps, plans: [a, b], random }) => {
      const change = Math.floor(steps.length * (0.2 + 0.5 * random()))
      const before = stageOf(a)
      apply(before, steps, 0, change)
      const states = statesOf(before)
      const clocks = new Map(states.map((entry) => [entry.deviceId, clockOf(entry)]))
      const after = upgrade(before, b, [stateShape(a)], states)
      apply(after, steps, change, steps.length)

      const old = new Set(a.features.map((feature) => feature.name))
      const behind = new Map<string, WindowsAfter>()
      overPairs(`changed at ${change}, ${name}`, b, after, wholeRun(b, steps, change), (pair) => {
        const { result, feature, node, found, wanted, where } = pair
        if (old.has(feature)) {
          expect(found, where).toBe(wanted)
          seen.kept += 1
          return
        }
        if (mayDiffer(node)) return
        if (found !== null) expect(found, where).toBe(wanted)
        if (found !== null) seen.newEqual += 1
        else if (wanted !== null) seen.newMissing += 1
        if (node.kind === 'count-of' && found !== null) seen.counts += 1
        if (contains(node, 'hours-since') || contains(node, 'count-of')) return
        if (result.windowStart <= (clocks.get(result.deviceId) ?? Number.NEGATIVE_INFINITY)) return
        const windowsAfter = behind.get(result.deviceId) ?? new WindowsAfter()
        behind.set(result.deviceId, windowsAfter)
        windowsAfter.add(result.windowStart)
        const lookBack = lookBackOf(node)
        if (!windowsAfter.reach(result.windowStart, lookBack)) return
        expect(found, `${where}; nothing before the change counts`).toBe(wanted)
        if (lookBack > 0) seen.lookingBack += 1
        else seen.newAfter += 1
      })
    })
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(100)
  })

  test('takes over states of several plans side by side, and writes its own shape (B3)', () => {
    const seen = { kept: 0, carriedTwice: 0, newEqual: 0 }
    overCases(({ name, steps, plans: [a, b, c], random }) => {
      const first = Math.floor(steps.length * (0.2 + 0.4 * random()))
      const second = first + 1 + Math.floor(4 * random())
      const [shapeA, shapeB] = [stateShape(a), stateShape(b)]
      const one = stageOf(a)
      apply(one, steps, 0, first)
      // What the second plan leaves alone keeps the first one's bytes.
      const states = new Map(statesOf(one).map((entry) => [entry.deviceId, entry]))
      const two = upgrade(one, b, [shapeA], [...states.values()])
      apply(two, steps, first, second)
      for (const entry of two.operator.takeDirty()) {
        if (entry.state === null) states.delete(entry.deviceId)
        else states.set(entry.deviceId, entry)
        expect(entry.state === null || shapeHashOf(entry.state) === stateShapeHash(shapeB)).toBe(true)
      }
      const hashes = new Set([...states.values()].map(({ state }) => shapeHashOf(state as Uint8Array)))
      const three = upgrade(two, c, random() < 0.5 ? [shapeA, shapeB] : [shapeB, shapeA], [...states.values()])
      if (hashes.size > 1) seen.carriedTwice += 1
      apply(three, steps, second, steps.length)
      for (const { state } of statesOf(three))
        expect(shapeHashOf(state as Uint8Array)).toBe(stateShapeHash(stateShape(c)))

      const named = (plan: Plan): Set<string> => new Set(plan.features.map((feature) => feature.name))
      const always = new Set([...named(a)].filter((feature) => named(b).has(feature)))
      overPairs(`changed at ${first} and ${second}, ${name}`, c, three, wholeRun(c, steps, second), (pair) => {
        const { feature, node, found, wanted, where } = pair
        if (always.has(feature)) expect(found, where).toBe(wanted)
        else if (found !== null && !mayDiffer(node)) expect(found, where).toBe(wanted)
        if (always.has(feature)) seen.kept += 1
        else if (found !== null) seen.newEqual += 1
      })
    })
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(5)
  })
})

/** Runs a plan over everything; returns what comes from a step on. */
function wholeRun(plan: Plan, steps: readonly Step[], change: number): Stage {
  const whole = stageOf(plan)
  apply(whole, steps, 0, change)
  whole.outputs.length = 0
  apply(whole, steps, change, steps.length)
  return whole
}
