import { activationKey, packageParts } from '@millwright/cluster/kafka'
import type { Plan } from '@millwright/core'
import { type StepModel, seededRandom } from '@millwright/testkit'
import { splitModelPackage } from '../../../packages/cli/src/models/split-model-testing.ts'
import { sha256Hex } from './packages.ts'

/** A record of `model-updates`, with the append time that it is given. */
export interface UpdateRecord {
  readonly key: string
  readonly value: Uint8Array
  readonly appendTimeMs: number
}

/** An activation that must be acted on. */
export interface GeneratedActivation {
  readonly kind: ActivationKind
  readonly model: StepModel
  readonly activeFromMs: number
  readonly seenAtMs: number
}

const activationKinds = [
  'ahead of time',
  'too late',
  'far ahead, overtaken by newer ones',
  'rollback',
  'before its package',
  'of several parts',
  'given up, published again',
] as const
type ActivationKind = (typeof activationKinds)[number]

/** What happens on `model-updates`, in turn. Kinds that are refused are named by the reason that must be given. */
const round = [
  'ahead of time',
  'too late',
  'digest-differs',
  'far ahead, overtaken by newer ones',
  'ahead of time',
  'rollback',
  'name-differs',
  'before its package',
  'no update at all',
  'of several parts',
  'feature-order-differs',
  'too late',
  'rollback',
  'truncated',
] as const
/** By then more models were loaded than are kept, so that the first ones have been given up. */
const lastRound = ['given up, published again', 'ahead of time', 'rollback'] as const

const roundCount = 3
/** Enough trees for more than a megabyte, which is the largest message that a broker takes unasked. */
const largeTreeCount = 3000

/** All that happens to the models of a plant while a history goes on. */
export interface GeneratedModels {
  readonly records: readonly UpdateRecord[]
  readonly activations: readonly GeneratedActivation[]
  /** Reasons of the updates that must be refused, in order. */
  readonly refusals: readonly string[]
  /** By version: the bytes of each package that must be taken. */
  readonly packages: ReadonlyMap<string, Uint8Array>
  readonly partCountMax: number
}

/**
 * Makes activations of every kind, and updates that must be refused, evenly over a time. Each model gives other probabilities than any
 * other, so the version that scored a window is told by every bit of it.
 *
 * @param span First and last append time, epoch milliseconds.
 */
export function generateModels(
  plan: Plan,
  span: { readonly fromMs: number; readonly toMs: number },
  prefix: string,
): GeneratedModels {
  const random = seededRandom(41)
  const kinds = [...Array.from({ length: roundCount }, () => round).flat(), ...lastRound]
  const everyMs = Math.floor((span.toMs - span.fromMs) / kinds.length)
  const records: UpdateRecord[] = []
  const activations: GeneratedActivation[] = []
  const refusals: string[] = []
  const packages = new Map<string, Uint8Array>()
  for (const [index, kind] of kinds.entries()) {
    const atMs = span.fromMs + index * everyMs + Math.floor((random() * everyMs) / 4)
    const version = `${prefix}${index}`
    const soon = atMs + 500 + Math.floor(random() * 3000)
    const parts = (of: string, bytes: Uint8Array, appendTimeMs = atMs): void => {
      for (const part of packageParts({ name: modelName(plan), version: of }, bytes))
        records.push({ ...part, appendTimeMs })
    }
    const activate = (of: string, bytes: Uint8Array, activeFrom: number): void => {
      const update = { name: modelName(plan), version: of, sha256: sha256Hex(bytes), activeFrom }
      const key = activationKey(modelName(plan), `${prefix}${index}`)
      records.push({ key, value: Buffer.from(JSON.stringify(update)), appendTimeMs: atMs })
    }
    const taken = (of: string, activeFromMs: number): void => {
      const model = { version: of, probability: Number.NaN, threshold: Number.NaN }
      activations.push({ kind: kind as ActivationKind, model, activeFromMs, seenAtMs: atMs })
    }
    const versionBefore = (back: number): string => [...packages.keys()].at(-back) ?? ''
    switch (kind) {
      case 'ahead of time':
      case 'too late':
      case 'far ahead, overtaken by newer ones':
      case 'of several parts':
      case 'before its package': {
        const bytes = riskPackage(plan, version, index, kind === 'of several parts' ? largeTreeCount : 0)
        const activeFromMs =
          kind === 'too late' ? atMs - 3000 : kind.startsWith('far ahead') ? atMs + 3 * everyMs : soon
        packages.set(version, bytes)
        if (kind !== 'before its package') parts(version, bytes)
        activate(version, bytes, activeFromMs)
        if (kind === 'before its package') parts(version, bytes, atMs + 5000)
        taken(version, activeFromMs)
        break
      }
      case 'rollback': {
        const of = versionBefore(2)
        activate(of, packages.get(of) as Uint8Array, soon)
        taken(of, soon)
        break
      }
      case 'given up, published again': {
        const of = [...packages.keys()][0] as string
        parts(of, packages.get(of) as Uint8Array)
        activate(of, packages.get(of) as Uint8Array, soon)
        taken(of, soon)
        break
      }
      case 'no update at all':
        records.push({ key: `junk-${prefix}${index}`, value: Buffer.from('{"name":'), appendTimeMs: atMs })
        refusals.push(kind)
        break
      default: {
        const bytes = unsoundPackage(plan, version, index, kind)
        parts(version, bytes)
        activate(version, bytes, soon)
        refusals.push(kind)
      }
    }
  }
  const order = [...records].sort((a, b) => a.appendTimeMs - b.appendTimeMs)
  const partCountMax = Math.max(
    ...[...packages].map(([version, bytes]) => packageParts({ name: '', version }, bytes).length),
  )
  return { records: order, activations, refusals, packages, partCountMax }
}

/** How many activations of each kind there are. */
export function countsOfKinds({ activations, refusals }: GeneratedModels): Record<string, number> {
  const count = (kind: string): number =>
    activations.filter((activation) => activation.kind === kind).length +
    refusals.filter((reason) => reason === kind).length
  return Object.fromEntries([...new Set([...activationKinds, ...refusals])].map((kind) => [kind, count(kind)]))
}

/** A sound package: one split of the mean of channel `a`, with answers of its own. */
function riskPackage(
  plan: Plan,
  version: string,
  index: number,
  idleTreeCount: number,
  name = modelName(plan),
): Uint8Array {
  const features = plan.features.map(({ name: feature, unit }) => ({ name: feature, unit }))
  const high = 0.5 + index / 16
  // Every second one finds the other side risky.
  const [below, atOrAbove] = index % 2 === 0 ? [-high, high + 0.03] : [high, -high - 0.03]
  const rows = [-20, -1, 1, 20].map((value) => features.map(() => value))
  const splitFeature = features.findIndex(({ name: feature }) => feature === 'mean')
  return splitModelPackage({ name, version, features, splitFeature, splitAt: 0, below, atOrAbove, rows, idleTreeCount })
}

/** What a mistake makes of a sound package. */
function unsoundPackage(plan: Plan, version: string, index: number, reason: string): Uint8Array {
  switch (reason) {
    case 'digest-differs': {
      const bytes = Buffer.from(riskPackage(plan, version, index, 0))
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1
      return bytes
    }
    case 'truncated':
      return riskPackage(plan, version, index, 0).subarray(0, -7)
    case 'name-differs':
      return riskPackage(plan, version, index, 0, 'pump')
    case 'feature-order-differs':
      return riskPackage({ ...plan, features: [...plan.features].reverse() }, version, index, 0)
    default:
      throw new Error(`there is no way to be refused for ${reason}`)
  }
}

function modelName(plan: Plan): string {
  if (plan.model === null) throw new Error('the plan has a model')
  return plan.model.name
}
