import type { CaseSource, SourceRecord } from '../delivery-port.ts'
import { type Notification, readNotification } from '../notification.ts'

/** First moment of the records below. */
export const startMs = 1_767_571_200_000

/** A record of `cases`; what is not said is of a case just opened by a window that closed a second ago. */
export function caseRecord(fields: Readonly<Record<string, unknown>> = {}): string {
  const { deviceId = 'press-07', at = startMs } = fields as { deviceId?: string; at?: number }
  return JSON.stringify({
    caseId: `${deviceId}@${startMs - 1000}`,
    deviceId,
    sequence: 0,
    change: 'opened',
    at,
    by: null,
    comment: null,
    status: 'open',
    alerting: true,
    severity: 'warning',
    openedAt: startMs,
    assignee: null,
    verdict: null,
    windowEnd: startMs - 1000,
    probability: 0.93,
    why: [{ feature: 'vibration', value: 3.5, contribution: 1.5 }],
    ...fields,
  })
}

/** A notification as a channel has it. */
export function notificationOf(fields: Readonly<Record<string, unknown>> = {}): Notification {
  const notification = readNotification(caseRecord(fields))
  if (notification === null) throw new Error('the record is a case')
  return notification
}

/** The topic in memory. */
export class FakeCases implements CaseSource {
  readonly #partitions: SourceRecord[][]
  #waiting: (() => void)[] = []
  /** Thrown by whoever reads on, once. */
  failure: Error | null = null

  constructor(partitionCount = 1) {
    this.#partitions = Array.from({ length: partitionCount }, () => [])
  }

  add(record: string, partition = 0): void {
    const records = this.#partitions[partition] ?? []
    const place = { partition, offset: records.length, appendTimeMs: startMs + records.length }
    records.push({ ...place, value: Buffer.from(record) })
    for (const wake of this.#waiting.splice(0)) wake()
  }

  async ends(): Promise<readonly number[]> {
    return this.#partitions.map((records) => records.length)
  }

  async *follow(from: readonly number[], signal: AbortSignal): AsyncGenerator<SourceRecord> {
    const next = this.#partitions.map((_, p) => from[p] ?? 0)
    while (!signal.aborted) {
      const { failure } = this
      this.failure = null
      if (failure !== null) throw failure
      const partition = this.#partitions.findIndex((records, p) => records.length > (next[p] ?? 0))
      const record = this.#partitions[partition]?.[next[partition] ?? 0]
      if (record === undefined) {
        await new Promise<void>((resolve) => {
          this.#waiting.push(resolve)
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
        continue
      }
      next[partition] = record.offset + 1
      yield record
    }
  }

  async at(partition: number, offset: number): Promise<SourceRecord | null> {
    return this.#partitions[partition]?.[offset] ?? null
  }
}
