import type { Activation, LoadedModel, OutputTopic, PartitionOperator, Plan } from '@millwright/core'
import { createPartitionOperator, type PartitionOperatorOptions } from '@millwright/operators'
import { plainDecoder } from './direct-engine.ts'

/** A message as a test reads it: parsed. */
export interface DrivenMessage {
  readonly topic: OutputTopic
  readonly deviceId: string | null
  readonly inputOffset: number
  readonly line: string
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever fields its topic has.
  readonly message: any
}

/**
 * Drives a plan by hand, record by record, with no engine: for tests of one project or one rule. It does not simulate the log,
 * partitions or crashes.
 *
 * @example
 * const driver = createPlanDriver(plan)
 * driver.reading({ deviceId: 'pump', timestamp: 0, x: 1 })
 * driver.endOfInput()
 * driver.take('device-features')
 */
export function createPlanDriver(plan: Plan, states: PlanDriverStates = {}): PlanDriver {
  return new PlanDriver(plan, states)
}

/** Shapes of earlier plans whose states the driven operator takes over. */
export type PlanDriverStates = Pick<PartitionOperatorOptions, 'earlierShapes'>

export class PlanDriver {
  /** The operator that is driven, for what the driver has no method for. */
  readonly operator: PartitionOperator
  /** Append time of the records to come, epoch milliseconds; NaN as in a replay. */
  appendTimeMs = Number.NaN
  #offset = 0
  readonly #messages: DrivenMessage[] = []

  constructor(plan: Plan, states: PlanDriverStates = {}) {
    const emit = (topic: OutputTopic, deviceId: string | null, inputOffset: number, line: string): void => {
      this.#messages.push({ topic, deviceId, inputOffset, line, message: JSON.parse(line) })
    }
    this.operator = createPartitionOperator({ plan, decoder: plainDecoder(plan), sink: { emit }, ...states })
  }

  /** Hands over one reading: an object, or a line as it is (text or bytes). Returns its offset. */
  reading(reading: object | string | Uint8Array): number {
    this.operator.readings(bytesOf(reading), this.#offset, this.appendTimeMs)
    return this.#offset++
  }

  /** Hands over one device event likewise. */
  event(event: object | string | Uint8Array): number {
    this.operator.deviceEvents(bytesOf(event), this.#offset, this.appendTimeMs)
    return this.#offset++
  }

  heartbeat(appendTimeMs: number): number {
    this.operator.heartbeat(appendTimeMs, this.#offset)
    return this.#offset++
  }

  activate(model: LoadedModel, activeFromMs = Number.NEGATIVE_INFINITY): number {
    const activation: Activation = { model, activeFromMs, seenAtMs: this.appendTimeMs }
    this.operator.activate(activation, this.#offset)
    return this.#offset++
  }

  endOfInput(): number {
    this.operator.endOfInput(this.#offset)
    return this.#offset++
  }

  /** Returns the messages since the last call, of one topic or of all, and forgets them. */
  take(topic?: OutputTopic): DrivenMessage[] {
    this.operator.flush()
    const taken = this.#messages.filter((message) => topic === undefined || message.topic === topic)
    this.#messages.length = 0
    return taken
  }

  /** Value of a counter. */
  counter(name: string): number {
    return this.operator.counters[name] ?? 0
  }
}

function bytesOf(record: object | string | Uint8Array): Uint8Array {
  if (record instanceof Uint8Array) return record
  return new TextEncoder().encode(typeof record === 'string' ? record : JSON.stringify(record))
}
