import type { Engine } from '@millwright/engine'
import type { ListedModel, ModelDesk } from '@millwright/gateways'
import { type PackageJudge, type Publications, publicationsOf } from './published-models.ts'

/** The engine's models as the gateway shows them. */
export function modelDeskOf(engine: Engine, judge: PackageJudge): ModelDesk {
  return {
    list: () => listModels(publicationsOf(engine), judge, Date.now()),
    publish: (bytes) => engine.publish(bytes),
    rollback: () => engine.rollback(),
  }
}

/** Everything published, newest first, with what became of it at a moment of the append-time scale. */
export function listModels(
  { published, activations }: Publications,
  judge: Pick<PackageJudge, 'refusal' | 'inForce'>,
  nowMs: number,
): ListedModel[] {
  const inForce = activations.map((seen) => judge.inForce(seen, nowMs)?.updateOffset ?? null)
  const newestSeen = Math.max(-1, ...activations.flat().map(({ updateOffset }) => updateOffset))
  return published.toReversed().map(({ name, version, sha256, activeFrom, offset }): ListedModel => {
    const model = { name, version, sha256, activeFrom }
    const refusal = judge.refusal(sha256)
    if (refusal !== null) return { ...model, state: 'refused', refusal }
    const partitions = inForce.flatMap((inForceOffset, partition) => (inForceOffset === offset ? [partition] : []))
    if (partitions.length > 0 && partitions.length < activations.length)
      return { ...model, state: 'in-force', partitions }
    if (partitions.length > 0) return { ...model, state: 'in-force' }
    // What no partition has yet, it has in a moment, or when its disk works again.
    return { ...model, state: activeFrom > nowMs || offset > newestSeen ? 'scheduled' : 'superseded' }
  })
}
