import { DurationHistogram, type IngestPort, isHeartbeatRecord, type Plan } from '@millwright/core'
import type { Door } from '@millwright/gateways'
import type { GaugeReading, HistogramReading } from '../plant/metrics.ts'
import { type Beat, HeartbeatLine } from './heartbeat-line.ts'
import { heartbeatValues } from './heartbeat-values.ts'

/** On one machine milliseconds; on Flink what it takes until a checkpoint commits the alert. */
const latencyBoundsMs = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000]
/** Beats that wait for their result: at the longest latency that is measured, at the shortest interval. */
const waitingMax = 128

/** What the heartbeat needs of the plant that it is sent through. */
export interface HeartbeatWay {
  readonly plan: Plan
  /** The heartbeat's own or any other: it is used within one turn. */
  readonly door: Door
  readonly ingest: Pick<IngestPort, 'append'>
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  /** Milliseconds of a clock that never falls. */
  readonly elapsedMs: () => number
}

interface WaitingBeat extends Beat {
  readonly sentAtMs: number
}

/**
 * Sends readings of the heartbeat device through the door, and measures how long it takes until the result of the window that each
 * closes is there.
 *
 * B1. A beat is sent when the one before was answered, so that where the door is shut beats do not heap up: they are left out.
 * B2. The latency is that of the reading that closed the window, from before the door until its result is told; the first result of
 *     a reading counts.
 * B3. Where nothing comes back, the age grows: it is known from the start on, and needs no result.
 */
export class Heartbeat {
  readonly #way: HeartbeatWay
  readonly #intervalMs: number
  readonly #line: HeartbeatLine
  readonly #channels: string
  readonly #latency = new DurationHistogram(latencyBoundsMs)
  #waiting: WaitingBeat[] = []
  #last: Beat | null = null
  #sending: Promise<void> | null = null
  #aliveAtMs: number
  #sent = 0
  #refused = 0

  /** @throws {ConfigurationError} As `heartbeatValues`. */
  constructor(way: HeartbeatWay, intervalMs: number) {
    this.#way = way
    this.#intervalMs = intervalMs
    this.#line = new HeartbeatLine(way.plan, intervalMs)
    const values = heartbeatValues(way.plan)
    this.#channels = Object.entries(values)
      .map(([channel, value]) => `,${JSON.stringify(channel)}:${value}`)
      .join('')
    this.#aliveAtMs = way.elapsedMs()
  }

  /** Beats from now on. @returns What ends it, when the last beat is answered. */
  start(): () => Promise<void> {
    this.#aliveAtMs = this.#way.elapsedMs()
    const timer = setInterval(() => this.beat(), this.#intervalMs)
    this.beat()
    return async () => {
      clearInterval(timer)
      await this.#sending
    }
  }

  /** Sends the beat of now, unless it was sent already or the one before is not answered yet (B1). */
  beat(): void {
    if (this.#sending !== null) return
    const beat = this.#line.at(this.#way.nowMs())
    const last = this.#last
    if (last?.deviceId === beat.deviceId && beat.timestampMs <= last.timestampMs) return
    this.#sending = this.#send(beat, last).finally(() => {
      this.#sending = null
    })
  }

  /** To be told of each result: a record of `alert-signals`, or of `device-features` where the plant has no model. */
  onResult(record: string): void {
    if (!isHeartbeatRecord(record)) return
    const { deviceId, windowEnd } = JSON.parse(record) as { deviceId: string; windowEnd: number }
    const closesAtMs = this.#line.closesAtMs(windowEnd)
    const found = this.#waiting.findIndex((beat) => beat.deviceId === deviceId && beat.timestampMs >= closesAtMs)
    const beat = this.#waiting[found]
    // Of another gateway, or of before a restart.
    if (beat === undefined) return
    // What is older has no result to come: the windows of a device close in order.
    this.#waiting.splice(0, found + 1)
    this.#aliveAtMs = this.#way.elapsedMs()
    this.#latency.add(this.#aliveAtMs - beat.sentAtMs)
  }

  gauges(): GaugeReading[] {
    const plain = (name: string, kind: 'counter' | 'gauge', help: string, value: number): GaugeReading => ({
      name,
      kind,
      help,
      values: [{ labels: {}, value }],
    })
    const ageMs = this.#way.elapsedMs() - this.#aliveAtMs
    return [
      plain('heartbeat_interval_seconds', 'gauge', 'between two readings of the heartbeat', this.#intervalMs / 1000),
      plain('heartbeat_sent_total', 'counter', 'readings of the heartbeat that were sent', this.#sent),
      plain(
        'heartbeat_refused_total',
        'counter',
        'readings of the heartbeat that the door did not take',
        this.#refused,
      ),
      plain('heartbeat_age_seconds', 'gauge', 'since a result of the heartbeat came, or the start', ageMs / 1000),
    ]
  }

  histograms(): HistogramReading[] {
    const help = 'from a reading of the heartbeat before the door to the result of the window that it closes'
    return [{ name: 'heartbeat_latency_seconds', help, values: [{ labels: {}, counts: this.#latency.read() }] }]
  }

  async #send(beat: Beat, last: Beat | null): Promise<void> {
    const { door, ingest, plan, elapsedMs } = this.#way
    this.#last = beat
    // A time far ahead is believed when another reading is near it: after a pause, and where windows are longer than such a step.
    const isFar = last?.deviceId !== beat.deviceId || beat.timestampMs - last.timestampMs > plan.time.maxJumpMs
    const times = isFar ? [beat.timestampMs - 1, beat.timestampMs] : [beat.timestampMs]
    const id = JSON.stringify(beat.deviceId)
    const lines = times.map((timestamp) => `{"deviceId":${id},"timestamp":${timestamp}${this.#channels}}\n`)
    this.#sent += 1
    this.#waiting.push({ ...beat, sentAtMs: elapsedMs() })
    if (this.#waiting.length > waitingMax) this.#waiting.shift()
    const admission = door.readings(Buffer.from(lines.join('')))
    try {
      await ingest.append('sensor-data', admission.parts)
      admission.release()
    } catch {
      // The plant takes nothing just now, which its own metrics say; what is missing of the heartbeat is what this is for.
      this.#refused += 1
    }
  }
}
