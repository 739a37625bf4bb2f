import { limits, type NotifyChannel } from '@millwright/core'
import type { ChannelStore, ParkedNotification } from './channel-file.ts'
import type { Relevance } from './channel-filter.ts'
import type { CaseSource, DeliveryClock, DeliveryPort, SourceRecord } from './delivery-port.ts'
import type { DeliveryState, DeliveryStatus } from './delivery-status.ts'
import { DeliveryFailedError, DeliveryRefusedError } from './errors.ts'
import { type Notification, readNotification } from './notification.ts'
import { plainText } from './plain-text.ts'
import { type Chance, retryPauseMs } from './retry-pauses.ts'

/** Everything a channel works with. */
export interface DeliveryChannelOptions {
  readonly name: string
  readonly kind: NotifyChannel['kind']
  readonly source: CaseSource
  readonly store: ChannelStore
  /** Makes the port, with what it kept when the channel was last saved; `null` where there is nothing. */
  readonly openPort: (kept: unknown) => Promise<DeliveryPort>
  readonly relevanceOf: (notification: Notification) => Relevance
  /** Where a channel that nothing is saved of begins: at the end of the topic, or at its beginning. */
  readonly start: 'end' | 'beginning'
  readonly clock: DeliveryClock
  readonly chance: Chance
  /** To be kept out of every text. */
  readonly secrets: readonly string[]
}

/** Positions are saved so often at most; after a crash what was delivered meanwhile is sent again. */
const saveEveryMs = 1000
/** After a source failed. */
const sourcePauseMs = 5000
/** An attempt under way when the plant stops has so long to end by itself. */
const stopGraceMs = 1000
/** Longest sleep when nothing is due: timers take no more than 2^31 ms. */
const sleepMsMax = 3_600_000

/** A notification that waits; it stays in the queue until it is done with. */
interface Queued {
  readonly notification: Notification
  readonly record: SourceRecord
  /** Where the channel stands when it is done with this one. */
  after: readonly number[]
}

/**
 * One channel: a consumer of the topic `cases` with a position of its own.
 *
 * N1. What is wanted is told at least once: the position goes beyond a record only when its peer has taken it, when it is parked, or
 *     when it is not wanted. A peer that is away is tried again for ever.
 * N2. In the order of the topic's partitions, so also of each case; but for what was parked and is sent again.
 * N3. What a peer refuses for good is parked: kept with its reason, visible, and sent again when a person asks. At
 *     `notificationsParkedMax` the channel is held, rather than lose one. Where a peer is told states (`tellsState`), a later change of the
 *     case takes the place of those that are parked of it.
 * N4. Position, parked and the port's own state are saved together. What cannot be saved is tried again; deliveries go on meanwhile.
 * N5. Nothing grows: the queue has a bound, and at the bound nothing more is read. Nobody but the channel itself waits for it.
 */
export class DeliveryChannel {
  readonly #options: DeliveryChannelOptions
  readonly #stop = new AbortController()
  readonly #cut = new AbortController()
  #port: DeliveryPort | null = null
  /** What the port kept when it was last saved: so it stays until the port is open. */
  #kept: unknown = null
  #target = ''
  readonly #queue: Queued[] = []
  #positions: readonly number[] = []
  #readTo: number[] = []
  /** Ids of a message that may have been sent before a crash (N1: the same again). */
  #planned: ReadonlySet<string> = new Set()
  #parked: readonly ParkedNotification[] = []
  /** Parked ones that a person wants sent again. */
  #asked: ParkedNotification[] = []
  /** Aborted when something has come, and when a person asks or the plant stops; each anew after a sleep. */
  #news = new AbortController()
  #urgent = new AbortController()
  #room: (() => void) | null = null
  #notBeforeMs = 0
  #repeatAtMs = 0
  #savedAtMs = Number.NEGATIVE_INFINITY
  #unsaved = false
  #saving: Promise<void> | null = null
  #state: DeliveryState = 'starting'
  #counts = { delivered: 0, refused: 0, failed: 0, skipped: 0 }
  #lastDeliveredAt: number | null = null
  #lastError: DeliveryStatus['lastError'] = null
  #nextAttemptAt: number | null = null
  #saveError: string | null = null
  readonly #ended: Promise<void>

  constructor(options: DeliveryChannelOptions) {
    this.#options = options
    this.#ended = this.#run().catch((error: unknown) => this.#fail(error))
  }

  get name(): string {
    return this.#options.name
  }

  async status(): Promise<DeliveryStatus> {
    const { name, kind, source } = this.#options
    const ends = this.#port === null ? [] : await source.ends().catch(() => [])
    const unread = ends.reduce((sum, end, p) => sum + Math.max(0, end - (this.#readTo[p] ?? 0)), 0)
    return {
      name,
      kind,
      target: this.#target,
      state: this.#isHeld() ? 'held' : this.#state,
      pending: this.#queue.length + unread,
      oldestPendingAt: this.#queue[0]?.record.appendTimeMs ?? null,
      ...this.#counts,
      parked: this.#parked,
      lastDeliveredAt: this.#lastDeliveredAt,
      lastError: this.#lastError,
      nextAttemptAt: this.#nextAttemptAt,
      saveError: this.#saveError,
    }
  }

  /** Has what is parked sent again, and what waits for its next attempt at once. @returns How many were parked. */
  retry(): number {
    this.#asked = [...this.#parked]
    this.#urgent.abort()
    return this.#asked.length
  }

  /** Ends it: an attempt under way has a second. What was delivered until then is saved. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#urgent.abort()
    this.#room?.()
    const grace = new AbortController()
    await Promise.race([this.#ended, this.#options.clock.pause(stopGraceMs, grace.signal)])
    grace.abort()
    this.#cut.abort()
    await this.#ended
    await this.#save()
    await this.#port?.close()
  }

  async #run(): Promise<void> {
    if (!(await this.#begin())) return
    try {
      this.#port = await this.#options.openPort(this.#kept)
      this.#target = this.#port.target
    } catch (error) {
      this.#fail(error)
      return
    }
    await Promise.all([this.#readOn(), this.#sendOn()])
  }

  /** Finds where to begin. @returns Whether it has: it cannot be known, or the plant stops first. */
  async #begin(): Promise<boolean> {
    const { store, source, start, clock } = this.#options
    let saved: Awaited<ReturnType<ChannelStore['read']>>
    try {
      saved = await store.read()
    } catch (error) {
      this.#fail(error)
      return false
    }
    this.#kept = saved?.port ?? null
    while (!this.#stop.signal.aborted) {
      try {
        const ends = await source.ends()
        const wanted = saved?.positions ?? (start === 'end' ? ends : [])
        // A topic that was restored from a backup, or folded anew, may be shorter than it was.
        this.#positions = ends.map((end, p) => Math.min(wanted[p] ?? 0, end))
        this.#readTo = [...this.#positions]
        this.#planned = new Set(saved?.planned ?? [])
        this.#parked = saved?.parked ?? []
        this.#unsaved = true
        await this.#save()
        return true
      } catch (error) {
        this.#note(error)
        await clock.pause(sourcePauseMs, this.#stop.signal)
      }
    }
    return false
  }

  #fail(error: unknown): void {
    this.#note(error)
    this.#state = 'stopped'
  }

  async #readOn(): Promise<void> {
    const { source, clock } = this.#options
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        for await (const record of source.follow(this.#readTo, signal)) {
          this.#take(record)
          if (this.#queue.length >= limits.notificationsQueuedMax)
            await new Promise<void>((resolve) => {
              this.#room = resolve
            })
          if (signal.aborted) return
        }
      } catch (error) {
        this.#note(error)
      }
      await clock.pause(sourcePauseMs, signal)
    }
  }

  #take(record: SourceRecord): void {
    this.#readTo[record.partition] = record.offset + 1
    const after = [...this.#readTo]
    const notification = readNotification(Buffer.from(record.value).toString())
    if (notification === null)
      this.#note(new Error(`offset ${record.offset} of partition ${record.partition} holds no case`))
    const relevance = notification === null ? 'unreadable' : this.#options.relevanceOf(notification)
    if (notification !== null && relevance === 'wanted') {
      this.#queue.push({ notification, record, after })
      this.#news.abort()
      return
    }
    if (relevance !== 'other') this.#counts.skipped += 1
    if (notification !== null && this.#planned.has(notification.id)) {
      // The project's filter has changed: what is left of that message does not wait for it.
      this.#planned = new Set([...this.#planned].filter((id) => id !== notification.id))
      this.#news.abort()
    }
    const last = this.#queue.at(-1)
    if (last === undefined) {
      this.#positions = after
      this.#unsaved = true
      this.#news.abort()
    } else last.after = after
  }

  async #sendOn(): Promise<void> {
    const { clock } = this.#options
    this.#repeatAtMs = clock.nowMs()
    while (!this.#stop.signal.aborted) {
      await this.#repeatWhenDue()
      const asked = this.#asked.shift()
      if (asked !== undefined) {
        await this.#sendParked(asked)
        continue
      }
      const batch = this.#nextBatch()
      if (batch.length > 0) {
        await this.#sendQueued(batch)
        continue
      }
      if (this.#queue.length === 0) this.#state = 'idle'
      await this.#saveWhenDue()
      await this.#sleepUntil(this.#dueAtMs(), 'by-news')
    }
  }

  async #repeatWhenDue(): Promise<void> {
    const { clock } = this.#options
    const repeat = this.#port?.repeat
    if (repeat === undefined || clock.nowMs() < this.#repeatAtMs) return
    this.#repeatAtMs = clock.nowMs() + repeat.everyMs
    try {
      await repeat.run(this.#attemptSignal())
    } catch (error) {
      this.#counts.failed += 1
      this.#note(error)
    }
  }

  /** What is to be sent now, as one message where the port takes several; nothing while it is not time yet, or the channel is held. */
  #nextBatch(): readonly Queued[] {
    const port = this.#port
    if (port === null || this.#isHeld() || this.#options.clock.nowMs() < this.#notBeforeMs) return []
    if (this.#planned.size > 0) {
      const found = this.#queue.findIndex(({ notification }) => !this.#planned.has(notification.id))
      const before = found < 0 ? this.#queue.length : found
      // The rest of that message is still being read, unless something else has come: then retention, or the project, took it.
      if (found < 0 && before < this.#planned.size && before < port.batchMax) return []
      this.#planned = new Set()
      if (before > 0) return this.#queue.slice(0, Math.min(before, port.batchMax))
    }
    return this.#queue.slice(0, port.batchMax)
  }

  #dueAtMs(): number {
    const { clock } = this.#options
    const times = [clock.nowMs() + sleepMsMax]
    if (this.#port?.repeat !== undefined) times.push(this.#repeatAtMs)
    if (this.#queue.length > 0 && !this.#isHeld() && this.#notBeforeMs > clock.nowMs()) times.push(this.#notBeforeMs)
    if (this.#unsaved) times.push(this.#savedAtMs + saveEveryMs)
    return Math.min(...times)
  }

  async #sendQueued(batch: readonly Queued[]): Promise<void> {
    if (batch.length > 1) {
      this.#planned = new Set(batch.map(({ notification }) => notification.id))
      this.#unsaved = true
      await this.#save()
      this.#planned = new Set()
    }
    const outcome = await this.#attempt(batch.map(({ notification }) => notification))
    if (outcome === 'stopped') {
      // It may have been taken: what is saved says that it is one message.
      if (batch.length > 1) this.#planned = new Set(batch.map(({ notification }) => notification.id))
      return
    }
    if (outcome === 'delivered') this.#forgetOvertaken(batch)
    else
      this.#parked = [
        ...this.#parked,
        ...batch.map(({ notification, record }) => parkedOf(notification, record, this.#nowMs(), outcome.refused)),
      ]
    this.#queue.splice(0, batch.length)
    this.#positions = batch.at(-1)?.after ?? this.#positions
    this.#unsaved = true
    this.#room?.()
    await this.#saveWhenDue()
  }

  /** What was parked of a case whose later state the peer has now: told again, it would bring back what is over (N3). */
  #forgetOvertaken(told: readonly Queued[]): void {
    if (this.#port?.tellsState !== true || this.#parked.length === 0) return
    const caseIds = new Set(told.map(({ notification }) => notification.caseId))
    const isOvertaken = ({ id }: ParkedNotification): boolean => caseIds.has(id.slice(0, id.lastIndexOf('#')))
    this.#parked = this.#parked.filter((parked) => !isOvertaken(parked))
  }

  async #sendParked(parked: ParkedNotification): Promise<void> {
    const { source } = this.#options
    if (!this.#parked.includes(parked)) return
    const record = await source.at(parked.partition, parked.offset).catch((error: unknown) => this.#note(error))
    if (record === undefined) return
    const notification = record === null ? null : readNotification(Buffer.from(record.value).toString())
    const others = (): ParkedNotification[] => this.#parked.filter(({ id }) => id !== parked.id)
    if (record === null || notification === null || notification.id !== parked.id) {
      const reason = `its record is no longer on the topic; it was refused because: ${parked.reason}`
      this.#note(new DeliveryRefusedError(`${parked.id} cannot be sent again: ${reason}`))
      this.#parked = others()
    } else {
      const outcome = await this.#attempt([notification])
      if (outcome === 'stopped') return
      this.#parked =
        outcome === 'delivered'
          ? others()
          : [...others(), parkedOf(notification, record, this.#nowMs(), outcome.refused)]
    }
    this.#unsaved = true
    await this.#saveWhenDue()
  }

  /** Tries until the peer has answered for good, or the plant stops. */
  async #attempt(
    notifications: readonly Notification[],
  ): Promise<'delivered' | 'stopped' | { readonly refused: string }> {
    const { clock, chance } = this.#options
    for (let failures = 1; ; failures++) {
      if (this.#stop.signal.aborted) return 'stopped'
      this.#state = 'sending'
      const startedMs = clock.nowMs()
      try {
        await this.#port?.send(notifications, this.#attemptSignal())
        this.#counts.delivered += notifications.length
        this.#lastDeliveredAt = clock.nowMs()
        this.#notBeforeMs = startedMs + (this.#port?.paceMs ?? 0)
        return 'delivered'
      } catch (error) {
        if (this.#cut.signal.aborted) return 'stopped'
        this.#note(error)
        if (error instanceof DeliveryRefusedError) {
          this.#counts.refused += notifications.length
          return { refused: this.#lastError?.text ?? '' }
        }
        this.#counts.failed += 1
        const asked = error instanceof DeliveryFailedError ? error.retryAfterMs : null
        this.#nextAttemptAt = clock.nowMs() + retryPauseMs(failures, asked, chance)
      }
      this.#state = 'waiting'
      await this.#saveWhenDue()
      await this.#sleepUntil(this.#nextAttemptAt, 'by-urgency')
      this.#nextAttemptAt = null
    }
  }

  #attemptSignal(): AbortSignal {
    return AbortSignal.any([this.#cut.signal, AbortSignal.timeout(limits.notifyAttemptMsMax)])
  }

  #isHeld(): boolean {
    return this.#parked.length + (this.#port?.batchMax ?? 1) > limits.notificationsParkedMax
  }

  #note(error: unknown): void {
    this.#lastError = { at: this.#nowMs(), text: plainText(error, this.#options.secrets) }
  }

  #nowMs(): number {
    return this.#options.clock.nowMs()
  }

  /** Returns at the time, or sooner where it is urgent; or, unless it is a pause that a failed attempt asks for, when something comes. */
  async #sleepUntil(timeMs: number, wakes: 'by-news' | 'by-urgency'): Promise<void> {
    const [news, urgent] = [this.#news, this.#urgent]
    const signal = wakes === 'by-news' ? AbortSignal.any([news.signal, urgent.signal]) : urgent.signal
    const durationMs = timeMs - this.#nowMs()
    if (durationMs > 0 && !this.#stop.signal.aborted) await this.#options.clock.pause(durationMs, signal)
    if (news.signal.aborted) this.#news = new AbortController()
    if (urgent.signal.aborted) this.#urgent = new AbortController()
  }

  async #saveWhenDue(): Promise<void> {
    if (this.#unsaved && this.#nowMs() >= this.#savedAtMs + saveEveryMs) await this.#save()
  }

  async #save(): Promise<void> {
    while (this.#saving !== null) await this.#saving
    if (!this.#unsaved) return
    this.#saving = this.#write()
    await this.#saving
    this.#saving = null
  }

  async #write(): Promise<void> {
    this.#unsaved = false
    this.#savedAtMs = this.#nowMs()
    try {
      await this.#options.store.write({
        positions: this.#positions,
        planned: [...this.#planned],
        parked: this.#parked,
        port: this.#port === null ? this.#kept : (this.#port.state?.() ?? null),
      })
      this.#saveError = null
    } catch (error) {
      this.#unsaved = true
      this.#saveError = plainText(error, this.#options.secrets)
    }
  }
}

function parkedOf(
  notification: Notification,
  record: SourceRecord,
  refusedAt: number,
  reason: string,
): ParkedNotification {
  const { partition, offset } = record
  return { id: notification.id, partition, offset, refusedAt, reason }
}
