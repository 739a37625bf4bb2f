import { assert, type FeatureNode, limits, type Plan, UserFunctionError } from '@millwright/core'
import {
  emissions,
  emittedStart,
  windowEnd,
  windowHeaderFloats,
  windowReadings,
  windowStart,
} from '@millwright/kernels'
import { channelIndex } from '../accumulators/layout.ts'
import { statisticKnown, statisticReader } from '../accumulators/statistics.ts'
import type { RawLayout } from '../windows/raw-values.ts'
import type { WindowStore } from '../windows/window-store.ts'
import type { DeviceEvents } from './device-events.ts'
import { WindowHistory } from './history.ts'
import { historyColumns, windowsLookedBack } from './look-back.ts'
import { notKnown } from './not-known.ts'
import { quantile } from './quantile.ts'
import { rollingStatistic } from './rolling.ts'
import { windowSeries } from './series.ts'
import type { WindowView } from './window-view.ts'

const hourMs = 3_600_000

type Evaluate = () => number

/** A call of a project's own function that has not come back. */
export interface ProjectCall {
  /** Which feature, device and window, for a person. */
  readonly where: string
  readonly compute: (...values: never[]) => unknown
}

/**
 * The plan's features, compiled: calculates a window's features and keeps the history that they look back on.
 *
 * F1. A feature's value is a finite number, or NaN (missing): what overflows is missing.
 * F2. A window's features are calculated from the history before it (by start), and its result replaces the one it gave before.
 * F3. A feature that rests on what is not known is missing, and what looks back on it later rests on what is not known too; users'
 *     functions are not called then. Only an `exponential-mean` begins anew after what is not known.
 * F4. What a window leaves in the history is finite, NaN or `notKnown`.
 */
export class FeatureProgram {
  readonly history: WindowHistory
  readonly #plan: Plan
  readonly #store: WindowStore
  readonly #events: DeviceEvents
  readonly #evaluators: readonly { readonly name: string; readonly evaluate: Evaluate }[]
  readonly #view: WindowView
  readonly #deviceId: (device: number) => string
  /** Values gathered for one rolling feature. */
  readonly #gathered: Float64Array
  readonly #columns: readonly FeatureNode[]
  readonly #onProjectCall: (isUnderWay: boolean) => void
  /** The call at hand; `null` where none is. A host that ends a call finds it here: nothing of the script runs then any more. */
  callAtHand: ProjectCall | null = null
  /** Columns that compiled features write so far. */
  #columnsCompiled = 0

  /**
   * @param windowsKept Most windows of one device that may still give a result at once.
   * @param deviceId Names a device in errors.
   */
  constructor(options: {
    readonly plan: Plan
    readonly store: WindowStore
    readonly events: DeviceEvents
    readonly windowsKept: number
    readonly deviceId: (device: number) => string
    /** Told before each call of a project's function, and after it. */
    readonly onProjectCall?: (isUnderWay: boolean) => void
  }) {
    this.#plan = options.plan
    this.#onProjectCall = options.onProjectCall ?? (() => undefined)
    this.#store = options.store
    this.#events = options.events
    this.#deviceId = options.deviceId
    const lookBack = windowsLookedBack(options.plan.features)
    this.#columns = historyColumns(options.plan.features)
    assert(lookBack <= limits.historyWindowsMax, `a feature looks back at most ${limits.historyWindowsMax} windows`)
    this.#gathered = new Float64Array(lookBack + 1)
    this.#view = {
      device: -1,
      startMs: 0,
      endMs: 0,
      readings: 0,
      fields: new Float64Array(0),
      base: 0,
      raw: null,
      historyBefore: 0,
      entry: new Float64Array(this.#columns.length),
      featureName: '',
      known: true,
    }
    this.#evaluators = options.plan.features.map(({ name, node }) => ({ name, evaluate: this.#compile(node) }))
    const capacity = lookBack + options.windowsKept
    this.history = new WindowHistory({ columnCount: this.#columns.length, capacity })
  }

  /**
   * Calculates the features of a window into `into`, NaN for missing, and notes them in the device's history.
   *
   * @throws {UserFunctionError} When a user's function throws or does not answer a number.
   */
  evaluate(device: number, slot: number, into: Float64Array): void {
    const store = this.#store
    const view = this.#view
    const perReading = this.#plan.window.kind === 'per-reading'
    view.device = device
    view.startMs = store.float(slot, windowStart)
    view.endMs = store.float(slot, windowEnd)
    view.readings = store.float(slot, windowReadings)
    view.fields = store.floats
    view.base = slot + windowHeaderFloats
    view.raw = store.raw(slot)
    const remembers = this.#columns.length > 0
    if (remembers) {
      // A session that grew towards the past since its last result stands in the history under its old start.
      const before = store.float(slot, emittedStart)
      if (store.int(slot, emissions) > 0 && before !== view.startMs) this.history.remove(device, before)
      view.historyBefore = this.history.countBefore(device, view.startMs, perReading)
    }
    for (const [i, { name, evaluate }] of this.#evaluators.entries()) {
      view.featureName = name
      view.known = true
      const value = evaluate()
      into[i] = view.known ? finiteOrMissing(value) : Number.NaN
    }
    if (remembers) {
      const replace = !perReading && this.history.holds(device, view.historyBefore, view.startMs)
      this.history.put(device, view.historyBefore, replace, view.startMs, view.entry)
    }
  }

  #compile(node: FeatureNode): Evaluate {
    const view = this.#view
    switch (node.kind) {
      case 'aggregate': {
        if (node.channel === null) return () => view.readings
        const channel = channelIndex(this.#plan, node.channel)
        const accumulator = this.#store.accumulators.channels.find((kept) => kept.channel === channel)
        assert(accumulator !== undefined, 'the layout keeps every channel that a feature reads')
        const read = statisticReader(node.statistic, accumulator)
        const known = statisticKnown(node.statistic, accumulator)
        return () => {
          const value = read(view.fields, view.base)
          if (Number.isNaN(value) && !known(view.fields, view.base)) view.known = false
          return value
        }
      }
      case 'quantile': {
        const column = rawColumn(this.#store.rawLayout, channelIndex(this.#plan, node.channel))
        return () => {
          const raw = view.raw
          if (raw === null) return Number.NaN
          const values = (raw.columns[column] as Float64Array).subarray(0, raw.count)
          return values.includes(notKnown) ? this.#unknown() : quantile(values, node.q)
        }
      }
      case 'lag': {
        const { column, inner } = this.#remembered(node.of)
        return () => {
          inner()
          return this.#earlierKnown(column, node.windows)
        }
      }
      case 'difference': {
        const { column, inner } = this.#remembered(node.of)
        return () => inner() - this.#earlierKnown(column, node.windows)
      }
      case 'rolling': {
        const { column, inner } = this.#remembered(node.of)
        return () => {
          const gathered = this.#gathered
          let count = 0
          // Oldest first, so that the sum is taken in the same order however the history came about.
          for (let back = node.windows - 1; back > 0; back--) gathered[count++] = this.#earlierKnown(column, back)
          gathered[count++] = inner()
          return rollingStatistic(node.statistic, gathered, count)
        }
      }
      case 'exponential-mean': {
        const inner = this.#compile(node.of)
        const column = this.#column(node)
        const mean = (): number => {
          const x = inner()
          const before = this.#earlier(column, 1)
          if (Number.isNaN(before) || before === notKnown) return x
          return Number.isNaN(x) ? before : node.alpha * x + (1 - node.alpha) * before
        }
        return this.#remembering(column, mean)
      }
      case 'hours-since': {
        const type = this.#events.typeIndex(node.eventType)
        return () => (view.endMs - this.#events.newestAt(view.device, type, view.endMs)) / hourMs
      }
      case 'count-of': {
        const type = this.#events.typeIndex(node.eventType)
        const lookBackMs = node.hours * hourMs
        return () => {
          const count = this.#events.countBetween(view.device, type, view.endMs - lookBackMs, view.endMs)
          return count === notKnown ? this.#unknown() : count
        }
      }
      case 'derived': {
        const inner = node.of.map((of) => this.#compile(of))
        return () => {
          const { known } = view
          view.known = true
          const values = inner.map((evaluate) => evaluate())
          if (!view.known) return Number.NaN
          view.known = known
          return this.#callUser(node.compute, () => node.compute(...values))
        }
      }
      case 'custom': {
        const columns = node.channels.map((name) => ({
          name,
          column: rawColumn(this.#store.rawLayout, channelIndex(this.#plan, name)),
        }))
        return () => {
          const raw = view.raw
          if (raw === null) return Number.NaN
          const kept = [raw.timestamps, ...columns.map(({ column }) => raw.columns[column] as Float64Array)]
          if (kept.some((values) => values.subarray(0, raw.count).includes(notKnown))) return this.#unknown()
          return this.#callUser(node.compute, () => node.compute(windowSeries(raw, view, columns)))
        }
      }
    }
  }

  /** Compiles a feature whose value each window leaves in the history, and gives that value a column there. */
  #remembered(node: FeatureNode): { column: number; inner: Evaluate } {
    const evaluate = this.#compile(node)
    const column = this.#column(node)
    return { column, inner: this.#remembering(column, evaluate) }
  }

  #column(node: FeatureNode): number {
    const column = this.#columnsCompiled++
    assert(this.#columns[column] === node, 'features are compiled in the order of the columns they leave')
    return column
  }

  /** Makes an evaluator note its value in the entry of the window in view (F4). */
  #remembering(column: number, evaluate: Evaluate): Evaluate {
    const view = this.#view
    return () => {
      const { known } = view
      view.known = true
      const value = evaluate()
      view.entry[column] = view.known ? finiteOrMissing(value) : notKnown
      view.known &&= known
      return value
    }
  }

  /** Notes that the feature in view rests on what is not known (F3). */
  #unknown(): number {
    this.#view.known = false
    return Number.NaN
  }

  #earlierKnown(column: number, windows: number): number {
    const value = this.#earlier(column, windows)
    return value === notKnown ? this.#unknown() : value
  }

  /** A column's value that many windows before the one in view; NaN where there is none. */
  #earlier(column: number, windows: number): number {
    return this.history.value(this.#view.device, this.#view.historyBefore - windows, column)
  }

  #callUser(compute: ProjectCall['compute'], call: () => unknown): number {
    const { featureName, device, startMs, endMs } = this.#view
    const place = { feature: featureName, deviceId: this.#deviceId(device), windowStart: startMs, windowEnd: endMs }
    const where = `feature "${featureName}" of device "${place.deviceId}", window ${startMs} to ${endMs}`
    let value: unknown
    this.callAtHand = { where, compute }
    this.#onProjectCall(true)
    try {
      value = call()
    } catch (cause) {
      if (cause instanceof UserFunctionError) throw cause
      throw new UserFunctionError(`Cannot calculate ${where}: the project's function threw`, { details: place, cause })
    } finally {
      this.#onProjectCall(false)
      this.callAtHand = null
    }
    if (typeof value === 'number') return value
    const found = value === null ? 'null' : typeof value
    throw new UserFunctionError(
      `Cannot calculate ${where}: the project's function must answer a number (NaN for missing), it answered ${found}`,
      { details: place },
    )
  }
}

function rawColumn(layout: RawLayout | null, channel: number): number {
  const column = layout?.channels.indexOf(channel) ?? -1
  assert(column >= 0, 'the layout keeps the raw values that a feature reads')
  return column
}

function finiteOrMissing(value: number): number {
  return Number.isFinite(value) ? value : Number.NaN
}
