import { type FeatureNode, limits } from '@millwright/core'
import { visitFeature } from '../accumulators/layout.ts'
import { notKnown } from './not-known.ts'

const hourMs = 3_600_000

/** What became of an event that was handed in. `kept` may come with an older one that had to go. */
export type EventFate = 'unused' | 'redelivered' | 'kept' | 'kept-oldest-dropped'

/**
 * Device events that features look at.
 *
 * E1. Of a device and type, events are in ascending order of time; of equal times in order of arrival.
 * E2. At most `eventsPerDeviceMax` of one type and device are kept. Beyond that, those go first that no window to come can
 *     use; then the oldest, which is reported.
 * E3. Where an earlier plan did not keep a type, events up to a time T are not known. The list then begins with a *horizon*, an entry with
 *     the time −T; events' own times are never negative. It goes when no window to come can look back on it.
 */
export class DeviceEvents {
  /** Types that a feature of the plan names, in the order they are stored. */
  readonly types: readonly string[]
  /** Farthest that `countOf` looks back for each type, in milliseconds. */
  readonly #lookBackMs: readonly number[]
  readonly #devices: (EventList[] | undefined)[] = []

  constructor(features: readonly { readonly node: FeatureNode }[]) {
    const lookBack = eventLookBackMs(features)
    this.types = eventTypes(features)
    this.#lookBackMs = this.types.map((type) => lookBack.get(type) ?? 0)
  }

  /** Index of a type; −1 where no feature uses it. */
  typeIndex(type: string): number {
    return this.types.indexOf(type)
  }

  /**
   * @param digest Hash of what else the event says; an event of the same time and digest is a redelivery.
   * @param usableAfterMs Every window to come ends after this time.
   */
  add(
    device: number,
    type: number,
    event: { readonly timestampMs: number; readonly digest: number },
    options: { readonly usableAfterMs: number; readonly redelivery: boolean },
  ): EventFate {
    if (type < 0) return 'unused'
    const list = this.#listsOf(device)[type] as EventList
    let at = list.times.length
    while (at > 0 && (list.times[at - 1] as number) > event.timestampMs) at -= 1
    for (let i = at - 1; options.redelivery && i >= 0 && list.times[i] === event.timestampMs; i--)
      if (list.digests[i] === event.digest) return 'redelivered'
    list.times.splice(at, 0, event.timestampMs)
    list.digests.splice(at, 0, event.digest)
    if (list.times.length <= limits.eventsPerDeviceMax) return 'kept'
    return this.#dropUseless(list, type, options.usableAfterMs) ? 'kept' : dropOldest(list)
  }

  /** Time of the newest event at or before `timeMs`; NaN where there is none, or another may have been newer (E3). */
  newestAt(device: number, type: number, timeMs: number): number {
    const times = this.#devices[device]?.[type]?.times ?? []
    let at = times.length
    while (at > 0 && (times[at - 1] as number) > timeMs) at -= 1
    return at === 0 || (times[at - 1] as number) < horizonOf(times) ? Number.NaN : (times[at - 1] as number)
  }

  /** Events with `afterMs < timestamp <= upToMs`; `notKnown` where there may have been more (E3). */
  countBetween(device: number, type: number, afterMs: number, upToMs: number): number {
    const times = this.#devices[device]?.[type]?.times ?? []
    if (afterMs < horizonOf(times)) return notKnown
    let count = 0
    for (const time of times) if (time > afterMs && time <= upToMs) count += 1
    return count
  }

  /** Times and digests of a device's events, per type, for its stored state. */
  lists(device: number): readonly EventList[] {
    return this.#devices[device] ?? []
  }

  setLists(device: number, lists: EventList[]): void {
    this.#devices[device] = lists
  }

  forget(device: number): void {
    this.#devices[device] = undefined
  }

  /** Drops the events that no window ending after `usableAfterMs` can see; returns whether there was one. */
  #dropUseless(list: EventList, type: number, usableAfterMs: number): boolean {
    const before = usableAfterMs - (this.#lookBackMs[type] as number)
    let useless = 0
    // `hoursSince` wants the newest at or before each end: what has a successor there, and is too old to count, is useless.
    while (
      useless + 1 < list.times.length &&
      (list.times[useless + 1] as number) <= usableAfterMs &&
      Math.abs(list.times[useless] as number) <= before
    )
      useless += 1
    list.times.splice(0, useless)
    list.digests.splice(0, useless)
    return useless > 0
  }

  #listsOf(device: number): EventList[] {
    let lists = this.#devices[device]
    if (lists === undefined) {
      lists = this.types.map(() => ({ times: [], digests: [] }))
      this.#devices[device] = lists
    }
    return lists
  }
}

/** Returns the types of event that features name, in the order in which they are stored: that of code units. */
export function eventTypes(features: readonly { readonly node: FeatureNode }[]): string[] {
  return [...eventLookBackMs(features).keys()].sort()
}

/** Farthest that `countOf` looks back for each type, in milliseconds. */
function eventLookBackMs(features: readonly { readonly node: FeatureNode }[]): Map<string, number> {
  const lookBack = new Map<string, number>()
  for (const { node } of features)
    visitFeature(node, (inner) => {
      if (inner.kind !== 'hours-since' && inner.kind !== 'count-of') return
      const hours = inner.kind === 'count-of' ? inner.hours : 0
      lookBack.set(inner.eventType, Math.max(lookBack.get(inner.eventType) ?? 0, hours * hourMs))
    })
  return lookBack
}

export interface EventList {
  times: number[]
  digests: number[]
}

/** Returns the list of a type whose events up to a time are not known. */
export function eventsNotKnownUpTo(timeMs: number): EventList {
  return { times: [-timeMs], digests: [0] }
}

/** Up to when events are not known; −Infinity where all are. */
function horizonOf(times: readonly number[]): number {
  const first = times[0]
  return first !== undefined && first < 0 ? -first : Number.NEGATIVE_INFINITY
}

function dropOldest(list: EventList): EventFate {
  const oldest = horizonOf(list.times) === Number.NEGATIVE_INFINITY ? 0 : 1
  list.times.splice(oldest, 1)
  list.digests.splice(oldest, 1)
  return 'kept-oldest-dropped'
}
