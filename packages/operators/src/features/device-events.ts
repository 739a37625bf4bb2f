import { limits, type Plan, type WindowNode } from '@millwright/core'
import { visitFeature } from '../accumulators/layout.ts'
import { notKnown } from './not-known.ts'

const hourMs = 3_600_000

/** What became of an event that was handed in. `kept` may come with an older one that had to go. */
export type EventFate = 'unused' | 'redelivered' | 'kept' | 'kept-oldest-dropped'

/** What of a plan says which events are kept, and how long. */
export type EventReaders = Pick<Plan, 'features' | 'window' | 'alert'>

/** How far before the end of a window its readers look. Milliseconds. */
interface LookBack {
  /** Farthest that `countOf` counts. */
  countedMs: number
  /** Farthest before the end of a window that its newest event is asked for. */
  newestMs: number
}

/**
 * Device events that features or the alert policy look at.
 *
 * E1. Of a device and type, events are in ascending order of time; of equal times in order of arrival.
 * E2. At most `eventsPerDeviceMax` of one type and device are kept. Beyond that, those go first that no window to come can
 *     use; then the oldest, which is reported.
 * E3. Where an earlier plan did not keep a type, events up to a time T are not known. The list then begins with a *horizon*, an entry with
 *     the time −T; events' own times are never negative. It goes when no window to come can look back on it.
 */
export class DeviceEvents {
  /** Types that the plan names, in the order they are stored. */
  readonly types: readonly string[]
  /** Of each type. */
  readonly #lookBack: readonly LookBack[]
  readonly #devices: (EventList[] | undefined)[] = []

  constructor(plan: EventReaders) {
    const lookBack = eventLookBack(plan)
    this.types = eventTypes(plan)
    this.#lookBack = this.types.map((type) => lookBack.get(type) as LookBack)
  }

  /** Index of a type; −1 where nothing uses it. */
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

  /** Time of the newest event at or before `timeMs`, or until when there may have been one (E3); −Infinity for neither. */
  latestPossibleAt(device: number, type: number, timeMs: number): number {
    const times = this.#devices[device]?.[type]?.times ?? []
    let at = times.length
    while (at > 0 && (times[at - 1] as number) > timeMs) at -= 1
    // A horizon's own time is negative: it counts as what it stands for.
    const newest = at > 0 && (times[at - 1] as number) >= 0 ? (times[at - 1] as number) : Number.NEGATIVE_INFINITY
    return Math.max(newest, Math.min(horizonOf(times), timeMs))
  }

  /** Whether a known event with `afterMs < timestamp < beforeMs` meets a condition on its time. */
  someBetween(
    device: number,
    type: number,
    afterMs: number,
    beforeMs: number,
    condition: (timeMs: number) => boolean,
  ): boolean {
    const times = this.#devices[device]?.[type]?.times ?? []
    for (let at = times.length - 1; at >= 0 && (times[at] as number) > afterMs; at--)
      if ((times[at] as number) < beforeMs && condition(times[at] as number)) return true
    return false
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
    const { countedMs, newestMs } = this.#lookBack[type] as LookBack
    let useless = 0
    // Wanted is the newest at or before some time: what has a successor there, and is too old to count, is useless.
    while (
      useless + 1 < list.times.length &&
      (list.times[useless + 1] as number) <= usableAfterMs - newestMs &&
      Math.abs(list.times[useless] as number) <= usableAfterMs - countedMs
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

/** Returns the types of event that a plan names, in the order in which they are stored: that of code units. */
export function eventTypes(plan: EventReaders): string[] {
  return [...eventLookBack(plan).keys()].sort()
}

function eventLookBack({ features, window, alert }: EventReaders): Map<string, LookBack> {
  const lookBack = new Map<string, LookBack>()
  const reads = (type: string, { countedMs, newestMs }: LookBack): void => {
    const known = lookBack.get(type) ?? { countedMs: 0, newestMs: 0 }
    lookBack.set(type, {
      countedMs: Math.max(known.countedMs, countedMs),
      newestMs: Math.max(known.newestMs, newestMs),
    })
  }
  for (const { node } of features)
    visitFeature(node, (inner) => {
      if (inner.kind === 'hours-since') reads(inner.eventType, { countedMs: 0, newestMs: 0 })
      else if (inner.kind === 'count-of') reads(inner.eventType, { countedMs: inner.hours * hourMs, newestMs: 0 })
    })
  // Whether a window is muted is asked from its start on.
  for (const { beginType, endType } of alert.rules?.mutes ?? [])
    for (const type of [beginType, endType]) reads(type, { countedMs: 0, newestMs: longestWindowMs(window) })
  return lookBack
}

function longestWindowMs(window: WindowNode): number {
  switch (window.kind) {
    case 'tumbling':
    case 'hopping':
      return window.sizeMs
    case 'session':
      return Number.POSITIVE_INFINITY
    case 'per-reading':
      return 1
  }
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
