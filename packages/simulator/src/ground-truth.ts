import { type ChannelName, channelNames, type FaultKind, faultTraits } from './fault-kinds.ts'
import { type FaultTable, kindOf, severityAt } from './fault-table.ts'

/** One fault that is in a run: what really was wrong, with which device, when. Times are true time, epoch milliseconds. */
export interface InjectedFault {
  readonly deviceId: string
  readonly fault: FaultKind
  /** First moment, inclusive. */
  readonly startMs: number
  /** Exclusive; `null` for what stays until the run ends. */
  readonly endMs: number | null
  /** When a machine that is failing has failed (severity 1; it may lie after the run); `null` for all other faults. */
  readonly failureMs: number | null
  /** When severity reaches 1 and stays; `startMs` for what is whole at once. */
  readonly fullMs: number
  /** The channel in which it shows most; `null` for clocks and delivery. */
  readonly channel: ChannelName | null
  /**
   * Size at severity 1. Added to `channel` in its unit: bearing-wear, imbalance, fouling (at full load), sensor-drift.
   * Share of the pressure lost: leak. Milliseconds added to the timestamp: clocks. Share of readings after which an
   * earlier one is sent again: duplicate. 0 where there is no size.
   */
  readonly magnitude: number
  /** When a late batch is delivered: just before the first reading of the fleet at or after it; else `null`. */
  readonly deliveredMs: number | null
  /** 0 before and after the fault, else above 0 up to 1, at a true time in epoch milliseconds. */
  severityAt(timeMs: number): number
}

/** Returns the fault as an object of its own. */
export function injectedFault(table: FaultTable, fault: number, deviceId: string): InjectedFault {
  const kind = kindOf(table, fault)
  const traits = faultTraits[kind]
  const fullMs = table.fullMs[fault] as number
  return {
    deviceId,
    fault: kind,
    startMs: table.startMs[fault] as number,
    endMs: traits.afterwards === 'ends' ? (table.endMs[fault] as number) : null,
    failureMs: traits.group === 'machine' ? fullMs : null,
    fullMs,
    channel: channelNames[table.channel[fault] as number] ?? null,
    magnitude: kind === 'late-batch' ? 0 : (table.magnitude[fault] as number),
    deliveredMs: kind === 'late-batch' ? (table.deliveredMs[fault] as number) : null,
    severityAt: (timeMs) => severityAt(table, fault, timeMs),
  }
}

/** One line of a truth file: the fault without its method, keys in this order, no newline. */
export function injectedFaultToJson(fault: InjectedFault): string {
  const { deviceId, fault: kind, startMs, endMs, failureMs, fullMs, channel, magnitude, deliveredMs } = fault
  return JSON.stringify({ deviceId, fault: kind, startMs, endMs, failureMs, fullMs, channel, magnitude, deliveredMs })
}
