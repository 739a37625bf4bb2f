import type { Engine } from '@millwright/engine'
import type { ListedModel, ModelDesk } from '@millwright/gateways'

/** The engine's models as the gateway shows them. */
export function modelDeskOf(engine: Engine): ModelDesk {
  return {
    list: () => listModels(engine, Date.now()),
    publish: (bytes) => engine.publish(bytes),
    rollback: () => engine.rollback(),
  }
}

/** Everything published, newest first, with what became of it at a moment of the append-time scale. */
export function listModels(engine: Pick<Engine, 'listModels'>, nowMs: number): ListedModel[] {
  const published = engine.listModels()
  const inForce = published.findLast(({ activeFrom }) => activeFrom <= nowMs)
  return published.toReversed().map(({ name, version, sha256, activeFrom, offset }) => ({
    name,
    version,
    sha256,
    activeFrom,
    state: activeFrom > nowMs ? 'scheduled' : offset === inForce?.offset ? 'in-force' : 'superseded',
  }))
}
