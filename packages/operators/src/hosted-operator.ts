import type { Activation, OperatorCounters, OutputSink, OutputTopic, ReadingBatch } from '@millwright/core'
import type { ProjectCall } from './features/feature-program.ts'
import type { TimerRequest } from './host-timers.ts'

/** A sink that can give back what it got last: a record that fails leaves nothing but its dead letter. */
export interface RetractableSink extends OutputSink {
  emit(topic: OutputTopic, deviceId: string | null, inputOffset: number, line: string): void
  /** Takes back the last `count` messages. */
  retract(count: number): void
}

/**
 * The pipeline in a host that keeps the devices' states and timers, and hands over records of several logs together: the same
 * rules as a `PartitionOperator`, device by device the same outputs.
 *
 * Devices are named by their index in the decoder's directory. A device that is not held must be restored, with its state or
 * with none, before a record or timer of it is handed over.
 */
export interface HostedOperator {
  /**
   * Processes rows that the operator's decoder gave, in this call or earlier: none of their devices was forgotten since. Row i has
   * offset `baseOffset + i` and was appended at `appendTimesMs[i]`; there are as many times as rows.
   *
   * @param firstRow Where a call that the host ended goes on; what stands before is done. 0 by default.
   * @throws {ConfigurationError} When the plan takes arrival as event time and a row has no append time.
   */
  readings(batch: ReadingBatch, baseOffset: number, appendTimesMs: Float64Array, firstRow?: number): void
  /** Processes one line of device events. */
  deviceEvent(bytes: Uint8Array, offset: number, appendTimeMs: number): void
  /** A timer that was asked for goes off: append time has come to `nowMs`. Returns whether the device is forgotten. */
  timerCame(device: number, nowMs: number, offset: number): boolean
  /**
   * The host has ended a call, in which a project's function did not come back: its record becomes a dead letter, or its timer a failed one, and
   * the device is as before it.
   *
   * @param why For the dead letter: completes "… did not come back".
   * @returns Whether a record or a timer was at hand; `null` where no project's function was, and nothing can be put right.
   */
  abandon(why: string): 'record' | 'timer' | null
  /** Bounded input is over for this device: a waiting reading counts, all its windows are closed. */
  endOfInput(device: number, offset: number): void
  /** Makes a model known without carrying time forward: it comes on a topic of its own. */
  announce(activation: Activation): void
  /** No record appended before `nowMs` is to come: models that nothing can ask for any more are given up. */
  timeCame(nowMs: number): void
  /** Scores and emits what is pending. */
  flush(): void

  /** Whether a device is held. */
  holds(device: number): boolean
  /**
   * Takes a device in. `askedForMs`: when the timer goes off that the host keeps for it, NaN for none.
   *
   * @throws {StateFormatError} When the bytes are not of this plan.
   */
  restore(deviceId: string, state: Uint8Array, askedForMs: number): void
  /** Hands over the state of a held device that changed, and marks it as unchanged; does nothing where it is unchanged. */
  writeBack(device: number, write: WriteState): void
  /** Like `writeBack` for as many as `countMax` devices, those that changed first. Returns how many devices may still be changed. */
  writeBackOldest(countMax: number, write: WriteState): number
  /** Lets go of a device whose state was written back. Its index is the directory's to give away. */
  evict(device: number): void
  /** Timers asked for since the last call. */
  takeTimerRequests(): TimerRequest[]

  /** Devices held. */
  readonly deviceCount: number
  /** Offset of the record that is being processed by the long way, for the place in an error; NaN where none is. */
  readonly offsetAtHand: number
  /** The call of a project's function that is under way, or was when the host ended it; `null` where none is. */
  readonly callAtHand: ProjectCall | null
  readonly counters: OperatorCounters
}

/** Takes the state of a device, as a view that holds during the call, and when its timer goes off (NaN: it has none). */
export type WriteState = (device: number, state: Uint8Array, askedForMs: number) => void
