import type { DeliveryStatus, PlantStatus } from '@millwright/gateways'
import type { Say } from './log-codes.ts'

/** How what may change by itself is at a moment. */
export interface PlantCondition {
  /** Partitions that the disk keeps from being processed, and why; none where the operators run elsewhere. */
  readonly stalled: readonly { readonly partition: number; readonly why: string }[]
  /** Of notifications. */
  readonly channels: readonly DeliveryStatus[]
  readonly model: PlantStatus['model']
}

interface TroubledChannel {
  readonly kind: 'away' | 'stopped'
  /** `lastDeliveredAt` when it began. */
  readonly lastDeliveredAt: number | null
}

/**
 * Tells the log of what changes by itself while a plant runs: partitions that stall, channels of notifications that cannot deliver,
 * models that come into force.
 *
 * C1. What begins is told once, and its end too; what goes on is not told again.
 * C2. What begins at the same look is one message, since the log holds back repeats of one code.
 * C3. A channel that tries again is still away: it is back when nothing waits, or something was delivered.
 * C4. Of models only those are told that came into force after the one that was told last, also one that came back.
 */
export class PlantChanges {
  readonly #say: Say
  #stalled: ReadonlySet<number> = new Set()
  readonly #troubled = new Map<string, TroubledChannel>()
  /** Parked notifications, by channel. */
  readonly #parked = new Map<string, number>()
  #modelFromMs: number

  /** @param modelFromMs Since when the model that was told of is in force, epoch milliseconds; −Infinity where none was. */
  constructor(say: Say, modelFromMs: number) {
    this.#say = say
    this.#modelFromMs = modelFromMs
  }

  /** Compares with the look before. */
  look({ stalled, channels, model }: PlantCondition): void {
    this.#lookAtPartitions(stalled)
    this.#lookAtChannels(channels)
    this.#lookAtParked(channels)
    if (model === null || model.activeFrom <= this.#modelFromMs) return
    this.#modelFromMs = model.activeFrom
    this.#say('MODEL_IN_FORCE', `Model ${model.name} ${model.version} is in force.`, { ...model })
  }

  #lookAtPartitions(stalled: PlantCondition['stalled']): void {
    const now = new Set(stalled.map(({ partition }) => partition))
    const began = stalled.filter(({ partition }) => !this.#stalled.has(partition))
    const ended = [...this.#stalled].filter((partition) => !now.has(partition)).sort((a, b) => a - b)
    this.#stalled = now
    if (began.length > 0) {
      const partitions = began.map(({ partition }) => partition)
      const whys = [...new Set(began.map(({ why }) => why))].join('; ')
      this.#say('PARTITION_STALLED', `Partitions that stand (${partitions.join(', ')}): ${whys}`, { partitions })
    }
    if (ended.length > 0)
      this.#say('PARTITION_GOES_ON', `Partitions that go on (${ended.join(', ')}).`, { partitions: ended })
  }

  #lookAtChannels(channels: readonly DeliveryStatus[]): void {
    const began: { readonly [kind in TroubledChannel['kind']]: DeliveryStatus[] } = { away: [], stopped: [] }
    const back: string[] = []
    for (const channel of channels) {
      const { name, state, lastDeliveredAt } = channel
      const before = this.#troubled.get(name)
      const kind = state === 'waiting' ? 'away' : state === 'held' || state === 'stopped' ? 'stopped' : null
      if (kind !== null && kind !== before?.kind) {
        this.#troubled.set(name, { kind, lastDeliveredAt })
        began[kind].push(channel)
      } else if (
        kind === null &&
        before !== undefined &&
        (state === 'idle' || lastDeliveredAt !== before.lastDeliveredAt)
      ) {
        this.#troubled.delete(name)
        back.push(name)
      }
    }
    if (began.away.length > 0)
      this.#say('CHANNEL_AWAY', `Notifications wait, and are tried again: ${whyText(began.away)}`, namesOf(began.away))
    if (began.stopped.length > 0)
      this.#say(
        'CHANNEL_STOPPED',
        `Notifications do not go out until somebody looks: ${whyText(began.stopped)}`,
        namesOf(began.stopped),
      )
    if (back.length > 0)
      this.#say('CHANNEL_BACK', `Notifications go out again: ${back.join(', ')}.`, { channels: back })
  }

  #lookAtParked(channels: readonly DeliveryStatus[]): void {
    const refused = channels.filter(({ name, parked }) => {
      const before = this.#parked.get(name) ?? 0
      this.#parked.set(name, parked.length)
      return parked.length > before
    })
    if (refused.length === 0) return
    const whys = refused.map(({ name, parked }) => `${name}: ${parked.at(-1)?.reason}`).join('; ')
    this.#say(
      'NOTIFICATION_PARKED',
      `A peer refused notifications for good; they are kept to be sent again: ${whys}`,
      namesOf(refused),
    )
  }
}

function whyText(channels: readonly DeliveryStatus[]): string {
  return channels.map(({ name, lastError }) => `${name}: ${lastError?.text ?? 'its peer refused too many'}`).join('; ')
}

function namesOf(channels: readonly DeliveryStatus[]): { readonly channels: readonly string[] } {
  return { channels: channels.map(({ name }) => name) }
}

const lookEveryMs = 2000

/**
 * Looks every two seconds, one look after the other, until it is told to end.
 *
 * @param condition What rejects is looked up again at the next look: others say why it cannot be known.
 * @returns Ends it; nothing is told from then on.
 */
export function watchChanges(changes: PlantChanges, condition: () => Promise<PlantCondition>): () => void {
  let ended = false
  let isLooking = false
  const timer = setInterval(() => {
    if (isLooking) return
    isLooking = true
    condition()
      .then(
        (found) => {
          if (!ended) changes.look(found)
        },
        () => undefined,
      )
      .finally(() => {
        isLooking = false
      })
  }, lookEveryMs)
  timer.unref()
  return () => {
    ended = true
    clearInterval(timer)
  }
}
