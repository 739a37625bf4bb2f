import { outputTopics, type Plan } from '@millwright/core'
import { eventTypes } from '@millwright/operators'
import { controlLagMs } from '../guest/model-topic.ts'

/** What the host is told of a job: `job.json` beside the script. */
export interface JobDescription {
  readonly name: string
  /** Topics of records, in the order of the places' indices. */
  readonly inputs: readonly string[]
  /** Topic of control records. */
  readonly control: string
  /** Topics that are written, in the order of the output frames' indices. */
  readonly outputs: readonly string[]
  /** Field of a record that holds its key. */
  readonly keyField: string
  /** Keys that may have a state, shared among the key groups. */
  readonly keysMax: number
  /** Whether records of all inputs are put into the order of their append times, as in one log; each then waits for the slowest partition. */
  readonly mergeInputs: boolean
  /** Records wait for control records that were appended so long before them, milliseconds of append time. */
  readonly controlLagMs: number
}

/** Describes the job of a plan. The host has a default for whatever else it may be told (docs/formats/bridge.md). */
export function describeJob(plan: Plan): JobDescription {
  return {
    name: plan.name,
    inputs: ['sensor-data', 'device-events'],
    control: 'model-updates',
    outputs: outputTopics,
    keyField: 'deviceId',
    keysMax: plan.time.devicesMax,
    mergeInputs: readsEvents(plan),
    controlLagMs,
  }
}

/** Whether windows of a plan look at device events, for a feature or for what mutes alerts: which of a reading and an event came first then matters to every number. */
export function readsEvents(plan: Plan): boolean {
  return eventTypes(plan).length > 0
}
