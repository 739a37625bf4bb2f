import { seenEverywhereMs } from '@millwright/cluster/kafka'
import type { LoadedModel, Plan } from '@millwright/core'
import {
  createDirectEngine,
  type RunResult,
  randomScenario,
  type Step,
  type StepOutput,
  scenarioPlan,
} from '@millwright/testkit'
import { loadPackage } from '../../../packages/cli/src/models/load-package.ts'
import { countsOfKinds, type GeneratedModels, generateModels } from './generated-models.ts'

/**
 * A fleet in which everything happens often: random histories of three devices each, laid side by side, under one succession of
 * models. What must come of it the operator says, history by history.
 */

/** Of the plan; the config that is bundled for the cluster names the same (`writeFleetProject`). */
export const fleetSeed = 3013
export const fleetWindow = { kind: 'tumbling', sizeMs: 5000 } as const
export const fleetOptions = { window: fleetWindow, alertRules: true } as const
export const fleetPlan: Plan = scenarioPlan(fleetSeed, fleetOptions)

/** When all histories begin (testkit's own beginning), and a day later: every device is forgotten by then, on both sides. */
const beginMs = 1_767_225_600_000
export const fleetEndMs = beginMs + 86_400_000
const devicesPerHistory = 3
const stepsPerHistory = 150

/** A record of a topic of input. */
export interface FleetRecord {
  readonly topic: 'sensor-data' | 'device-events'
  readonly key: string
  readonly value: string
  readonly appendTimeMs: number
}

export interface GeneratedFleet {
  readonly deviceCount: number
  /** In the order of append time. */
  readonly records: readonly FleetRecord[]
  readonly histories: readonly (readonly Step[])[]
  /** From the first record to the last. */
  readonly span: { readonly fromMs: number; readonly toMs: number }
}

/** Makes the histories; each has devices of its own. */
export function generateFleet(historyCount: number): GeneratedFleet {
  const histories = Array.from({ length: historyCount }, (_, index) => historyOf(index + 1))
  const records = histories.flat().flatMap((step): FleetRecord[] => {
    if (step.kind !== 'readings' && step.kind !== 'events') return []
    const topic = step.kind === 'readings' ? 'sensor-data' : 'device-events'
    const lines = Buffer.from(step.bytes).toString().replace(/\n$/, '').split('\n')
    return lines.map((value) => ({ topic, key: keyOf(value), value, appendTimeMs: step.appendTimeMs }))
  })
  // Stable: records of one time keep the order of their history.
  records.sort((a, b) => a.appendTimeMs - b.appendTimeMs)
  const span = { fromMs: records[0]?.appendTimeMs ?? beginMs, toMs: records.at(-1)?.appendTimeMs ?? beginMs }
  return { deviceCount: devicesPerHistory * historyCount, records, histories, span }
}

/** Makes a succession of models for a plan over the time of the fleet. @param prefix Of their versions. */
export function modelsFor(fleet: Pick<GeneratedFleet, 'span'>, plan: Plan, prefix = 'v'): GeneratedModels {
  return generateModels(plan, fleet.span, prefix)
}

/** How far a fleet is looked at. */
export interface FleetExtent {
  /** Append time that every device has come to, and after which nothing is looked at; epoch milliseconds. */
  readonly toMs: number
  /** Whether all windows are closed then, as at the end of bounded input. */
  readonly ends?: boolean
}

/** What the operator makes of the fleet, each history by itself. */
export function operatorSays(
  fleet: GeneratedFleet,
  plan: Plan,
  models: GeneratedModels,
  { toMs, ends = false }: FleetExtent = { toMs: fleetEndMs },
): RunResult {
  const loaded = new Map<string, LoadedModel>()
  for (const [version, bytes] of models.packages) loaded.set(version, loadPackage(bytes, plan))
  const engine = createDirectEngine({
    loadModel: ({ version }) => {
      const model = loaded.get(version)
      if (model === undefined) throw new Error(`the package of ${version} was made`)
      return model
    },
  })
  const common: Step[] = [
    ...models.activations.map(({ model, activeFromMs, seenAtMs }): Step => {
      return { kind: 'activate', model, activeFromMs, appendTimeMs: seenAtMs + seenEverywhereMs }
    }),
    { kind: 'heartbeat', appendTimeMs: toMs },
    ...(ends ? [{ kind: 'end' } as const] : []),
  ]
  const outputs: StepOutput[] = []
  const counters: Record<string, number> = {}
  for (const history of fleet.histories) {
    const steps = inOrder([...history, ...common]).filter((step) => step.kind === 'end' || step.appendTimeMs <= toMs)
    const result = engine.run(plan, steps) as RunResult
    outputs.push(...result.outputs)
    for (const [name, count] of Object.entries(result.counters)) counters[name] = (counters[name] ?? 0) + count
  }
  return { outputs, counters }
}

/** What a person wants to know of a generated input: how often each kind of trouble is in it. */
export function countsOfFleet(
  fleet: GeneratedFleet,
  models: GeneratedModels,
  { counters, outputs }: RunResult,
): Record<string, number> {
  const counted = Object.entries(counters).filter(([name, count]) => count > 0 && !name.startsWith('model_activations'))
  const alerts = outputs.filter(({ topic }) => topic === 'alert-signals')
  const versions = new Set(alerts.map(({ line }) => (JSON.parse(line) as { model: { version: string } }).model.version))
  return {
    devices: fleet.deviceCount,
    records: fleet.records.length,
    ...Object.fromEntries(counted),
    ...countsOfKinds(models),
    'versions that scored a window': versions.size,
  }
}

function historyOf(index: number): Step[] {
  const { steps } = randomScenario(977 * index + 5, {
    window: fleetWindow,
    stepCount: stepsPerHistory,
    endOfInput: false,
  })
  // Models and time are the same for all of the fleet.
  return steps
    .filter(({ kind }) => kind !== 'activate' && kind !== 'heartbeat')
    .map((step) => ('bytes' in step ? { ...step, bytes: ownDevices(step.bytes, index) } : step))
}

/** By append time; what comes first among equals stays first. */
function inOrder(steps: readonly Step[]): Step[] {
  const timeOf = (step: Step): number => (step.kind === 'end' ? Number.POSITIVE_INFINITY : step.appendTimeMs)
  return [...steps].sort((a, b) => timeOf(a) - timeOf(b))
}

function ownDevices(bytes: Uint8Array, history: number): Uint8Array {
  return Buffer.from(Buffer.from(bytes).toString().replaceAll('"deviceId":"', `"deviceId":"h${history}-`))
}

function keyOf(line: string): string {
  const id = /"deviceId":("(?:[^"\\]|\\.)*")/.exec(line)?.[1]
  return id === undefined ? 'none' : (JSON.parse(id) as string)
}
