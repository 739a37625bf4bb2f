import { assert, isHeartbeatDevice, isHeartbeatRecord, type ModelName, readMaintenanceFeedback } from '@millwright/core'
import { CaseBook, type CaseBookState, type CaseChanges, type CaseOutput } from '../cases/case-book.ts'
import { caseReport } from '../cases/case-report.ts'
import type { DriftFinding, DriftState } from '../drift/drift-monitor.ts'
import type { DriftReference } from '../drift/drift-reference.ts'
import { PredictionPeriods, type PredictionPeriodsState } from '../estimate/prediction-periods.ts'
import { DataQuality, type DataQualityState, defaultQualityRules } from '../quality/data-quality.ts'
import type { WatchedChannel } from '../quality/quality-plan.ts'
import { VerdictJoin, type VerdictJoinState } from '../verdicts/verdict-join.ts'
import { DriftWatch, type DriftWatchState } from './drift-watch.ts'
import { modelEstimate } from './model-estimate.ts'
import { qualityReport } from './quality-report.ts'
import { isAlertSignal, isDeadLetter, isDeviceFeatures, isDeviceStatus, isLateReading } from './record-shape.ts'
import {
  type CheckedTopic,
  type RecordRefusal,
  type RefusedRecords,
  readRecord,
  withRefused,
} from './refused-records.ts'
import type { MachineReport, WatchReport } from './watch-report.ts'
import { type WatchedRecord, type WatchedTopic, watchedTopics } from './watched-record.ts'

/**
 * The one consumer of a plant's topics: hands each record to what judges by it.
 *
 * Invariants
 *
 * W1. A report is a function of the records taken, in their order, and of the baselines; no clock is read.
 * W2. Time goes on by the records: it is the smaller of the append time and the greatest window end seen, ten seconds of append time later, so that a history that is
 *     read in late is judged as if it had been watched, and machines whose windows came within those may have come in any order.
 * W3. Memory is bounded by the parts' own bounds.
 * W4. `snapshot` is JSON, and an instance restored from it goes on as this one would.
 * W5. The plant's own heartbeat device is no machine: its records are counted as read, and nothing else is made of them.
 * W6. No text throws, whatever topic it stands on: what is no record of its topic is counted, and changes nothing else.
 */
export interface PlantWatchOptions {
  readonly channels: readonly WatchedChannel[]
  /** Whether the project has an alert policy beyond one threshold: only windows with a mark are then alerts. */
  readonly marked: boolean
  /** The baseline of a model version; `null` where it is not at hand: then its drift is not watched. */
  readonly referenceOf: (model: ModelName) => DriftReference | null
}

export interface PlantWatchState {
  readonly version: 3
  readonly readUpToMs: number | null
  readonly newestWindowEndMs: number | null
  readonly promisedMs: number | null
  readonly due: readonly DuePromise[]
  readonly records: Readonly<Record<WatchedTopic, number>>
  /** Missing in what earlier releases saved. */
  readonly refused?: RefusedRecords
  readonly findings: readonly DriftFinding[]
  readonly verdicts: VerdictJoinState
  readonly predictions: PredictionPeriodsState
  readonly drift: DriftWatchState
  readonly quality: DataQualityState
  readonly cases: CaseBookState
}

/** A state in pieces, to be read before the next record is taken. */
export interface PlantWatchPieces {
  /** With empty lists of machines. */
  readonly state: PlantWatchState
  readonly verdicts: Iterable<VerdictJoinState['devices'][number]>
  readonly quality: Iterable<DataQualityState['machines'][number]>
  readonly cases: Iterable<CaseBookState['devices'][number]>
  /** Of each version in `state.drift`. */
  readonly drift: readonly Iterable<DriftState['devices'][number]>[]
}

/** That windows which end at or before `timeMs` were read, to be promised when everything appended before `dueMs` was taken (W2). */
interface DuePromise {
  readonly timeMs: number
  readonly dueMs: number
}

const hourMs = 3_600_000
/** How far, by append time, records of one moment may stand apart in the order that they are taken in, from one engine to another. */
const promiseAfterMs = 10_000
/** Hours of event time that may begin in such a while; in a history that is read in faster, those beyond are promised with the last. */
const dueMax = 1024
const dayMs = 24 * hourMs
const findingsMax = 50
/** Verdicts may be sent in so long after they were taken down: maintenance systems export monthly. */
const verdictDelayMs = 31 * dayMs
const nothing: readonly CaseOutput[] = []
const periods = { periodMs: dayMs, periodsMax: 90 }

export class PlantWatch {
  readonly #channels: readonly WatchedChannel[]
  readonly #verdicts: VerdictJoin
  readonly #predictions: PredictionPeriods
  readonly #drift: DriftWatch
  readonly #quality: DataQuality
  readonly #cases: CaseBook
  readonly #records: Record<WatchedTopic, number>
  #refused: RefusedRecords
  #findings: readonly DriftFinding[]
  #readUpToMs: number
  #newestWindowEndMs: number
  /** What was last promised to the parts (W2). */
  #promisedMs: number
  /** By `timeMs` and `dueMs`, both ascending. */
  #due: DuePromise[]

  /** @param state What `snapshot` gave, of the same channels. */
  constructor({ channels, marked, referenceOf }: PlantWatchOptions, state?: PlantWatchState) {
    assert(state === undefined || state.version === 3, 'the state of a watch has version 3')
    this.#channels = channels
    this.#verdicts = new VerdictJoin(undefined, state?.verdicts)
    this.#predictions = new PredictionPeriods(periods, state?.predictions)
    this.#drift = new DriftWatch(referenceOf, state?.drift)
    this.#quality = new DataQuality(channels, defaultQualityRules, state?.quality)
    this.#cases = new CaseBook({ marked }, state?.cases)
    this.#records = { ...noRecords(), ...state?.records }
    this.#refused = state?.refused ?? {}
    this.#findings = state?.findings ?? []
    this.#readUpToMs = state?.readUpToMs ?? Number.NEGATIVE_INFINITY
    this.#newestWindowEndMs = state?.newestWindowEndMs ?? Number.NEGATIVE_INFINITY
    this.#promisedMs = state?.promisedMs ?? Number.NEGATIVE_INFINITY
    this.#due = [...(state?.due ?? [])]
  }

  /** Append time of the newest record taken, epoch milliseconds; −Infinity before the first. */
  get readUpToMs(): number {
    return this.#readUpToMs
  }

  /** Takes the next record; records come in order of append time. @returns What it says on `cases`, mostly nothing. */
  take({ topic, appendTimeMs, text }: WatchedRecord): readonly CaseOutput[] {
    this.timeCame(appendTimeMs)
    this.#records[topic] += 1
    const outputs = isHeartbeatRecord(text) ? nothing : this.#hand(topic, text, appendTimeMs)
    this.#readUpToMs = Math.max(this.#readUpToMs, appendTimeMs)
    this.#file(Math.min(this.#readUpToMs, this.#newestWindowEndMs))
    return outputs
  }

  /** What became of cases and commands since this was last called. */
  takeCaseChanges(): CaseChanges {
    return this.#cases.takeChanges()
  }

  /** Says that every record appended before `timeMs` was taken; that of a record is said with it. @returns Whether that made something due. */
  timeCame(timeMs: number): boolean {
    let isDue = false
    for (let next = this.#due[0]; next !== undefined && next.dueMs <= timeMs; next = this.#due[0]) {
      this.#due.shift()
      this.#promisedMs = next.timeMs
      this.#verdicts.readUpTo(next.timeMs - verdictDelayMs)
      this.#found(this.#drift.readUpTo(next.timeMs))
      isDue = true
    }
    return isDue
  }

  /** What is known so far. Looks at every machine: to be called when asked, not per record. */
  report(): WatchReport {
    const { models, counters } = this.#verdicts.report()
    return {
      readUpTo: finite(this.#readUpToMs),
      newestWindowEnd: finite(this.#newestWindowEndMs),
      records: { ...this.#records },
      refused: this.#refused,
      models: models.map((judged) => {
        const drift = this.#drift.report(judged.model)
        return {
          ...judged,
          estimate: modelEstimate(judged, this.#predictions, drift, periods.periodMs),
          drift,
        }
      }),
      verdicts: counters,
      findings: this.#findings,
      quality: qualityReport(this.#quality, this.#channels),
      cases: caseReport(this.#cases),
    }
  }

  /** What is known of one machine; `null` where that is nothing. */
  machineReport(deviceId: string): MachineReport | null {
    const quality = this.#quality.report(deviceId)
    const drift = this.#drift.machineReports(deviceId)
    const verdicts = this.#verdicts.verdictsOn(deviceId)
    if (quality === null && drift.length === 0 && verdicts.length === 0) return null
    return { deviceId, readUpTo: finite(this.#readUpToMs), quality, drift, verdicts }
  }

  /** Everything that is known, as JSON. */
  snapshot(): PlantWatchState {
    return {
      ...this.#ownState(),
      verdicts: this.#verdicts.snapshot(),
      drift: this.#drift.snapshot(),
      quality: this.#quality.snapshot(),
      cases: this.#cases.snapshot(),
    }
  }

  /** {@link snapshot}, with its machines one at a time: all of a large plant at once are hundreds of megabytes. */
  snapshotInPieces(): PlantWatchPieces {
    return {
      state: {
        ...this.#ownState(),
        verdicts: this.#verdicts.stateWithoutDevices(),
        drift: this.#drift.stateWithoutMachines(),
        quality: this.#quality.stateWithoutMachines(),
        cases: this.#cases.stateWithoutDevices(),
      },
      verdicts: this.#verdicts.deviceStates(),
      drift: this.#drift.machineStates(),
      quality: this.#quality.machineStates(),
      cases: this.#cases.deviceStates(),
    }
  }

  #ownState(): Omit<PlantWatchState, 'verdicts' | 'drift' | 'quality' | 'cases'> {
    return {
      version: 3,
      readUpToMs: finite(this.#readUpToMs),
      newestWindowEndMs: finite(this.#newestWindowEndMs),
      promisedMs: finite(this.#promisedMs),
      due: [...this.#due],
      records: { ...this.#records },
      refused: this.#refused,
      findings: this.#findings,
      predictions: this.#predictions.snapshot(),
    }
  }

  #hand(topic: WatchedTopic, text: string, appendTimeMs: number): readonly CaseOutput[] {
    switch (topic) {
      case 'maintenance-feedback': {
        const result = readMaintenanceFeedback(text)
        if (result.kind === 'feedback') this.#verdicts.feedback(result.feedback)
        else this.#refuse(topic, result.reason === 'feedback-not-json' ? 'not-json' : 'wrong-shape')
        return nothing
      }
      case 'case-commands':
        return this.#cases.command(text, appendTimeMs)
      case 'alert-signals': {
        const signal = readRecord(text, isAlertSignal)
        if (typeof signal === 'string') return this.#refuse(topic, signal)
        this.#verdicts.alertSignal(signal)
        this.#predictions.alertSignal(signal)
        this.#found(this.#drift.alertSignal(signal))
        this.#newestWindowEndMs = Math.max(this.#newestWindowEndMs, signal.windowEnd)
        return this.#cases.alertSignal(signal, appendTimeMs)
      }
      case 'device-features': {
        const features = readRecord(text, isDeviceFeatures)
        if (typeof features === 'string') return this.#refuse(topic, features)
        this.#quality.deviceFeatures(features)
        this.#newestWindowEndMs = Math.max(this.#newestWindowEndMs, features.windowEnd)
        return nothing
      }
      case 'late-readings': {
        const reading = readRecord(text, isLateReading)
        if (typeof reading === 'string') return this.#refuse(topic, reading)
        this.#quality.lateReading(reading)
        return nothing
      }
      case 'dead-letters': {
        const letter = readRecord(text, isDeadLetter)
        if (typeof letter === 'string') return this.#refuse(topic, letter)
        const isHeartbeat = letter.deviceId !== null && isHeartbeatDevice(letter.deviceId)
        if (letter.topic === 'sensor-data' && !isHeartbeat) this.#quality.deadLetter(letter)
        return nothing
      }
      case 'device-status': {
        const status = readRecord(text, isDeviceStatus)
        if (typeof status === 'string') return this.#refuse(topic, status)
        this.#quality.deviceStatus(status)
        if (status.kind === 'device-forgotten') {
          this.#verdicts.deviceForgotten(status.deviceId, status.at)
          this.#drift.deviceForgotten(status.deviceId)
        }
        return this.#cases.deviceStatus(status, appendTimeMs)
      }
    }
  }

  /** W6. */
  #refuse(topic: CheckedTopic, why: RecordRefusal): readonly CaseOutput[] {
    this.#refused = withRefused(this.#refused, topic, why)
    return nothing
  }

  /** Files a promise where another hour begins; of the hours in between nothing was seen. */
  #file(timeMs: number): void {
    const filedMs = this.#due.at(-1)?.timeMs ?? this.#promisedMs
    if (!(Math.floor(timeMs / hourMs) > Math.floor(filedMs / hourMs))) return
    if (this.#due.length >= dueMax) this.#due.pop()
    this.#due.push({ timeMs: Math.floor(timeMs / hourMs) * hourMs, dueMs: this.#readUpToMs + promiseAfterMs })
  }

  /** Keeps those of the newest periods, whatever order they were found in. */
  #found(findings: readonly DriftFinding[]): void {
    if (findings.length === 0) return
    this.#findings = [...findings, ...this.#findings].sort(newestFirst).slice(0, findingsMax)
  }
}

function noRecords(): Record<WatchedTopic, number> {
  return Object.fromEntries(watchedTopics.map((topic) => [topic, 0])) as Record<WatchedTopic, number>
}

/** The fleet before machines; machines and columns by name. */
function newestFirst(a: DriftFinding, b: DriftFinding): number {
  return (
    b.atMs - a.atMs ||
    order(a.deviceId ?? '', b.deviceId ?? '') ||
    order(a.drift.column, b.drift.column) ||
    order(a.change, b.change)
  )
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function finite(timeMs: number): number | null {
  return Number.isFinite(timeMs) ? timeMs : null
}
