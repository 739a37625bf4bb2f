import { fieldsOf, partFields, partOffset } from './accumulators/layout.ts'
import { newestAlertWindows } from './alerts/alert-states.ts'
import { eventsNotKnownUpTo } from './features/device-events.ts'
import { horizonAfter, isHorizon } from './features/history.ts'
import { notKnown } from './features/not-known.ts'
import type { ParsedState, ParsedWindow } from './parsed-state.ts'
import { type StateLayout, stateLayout } from './state-layout.ts'
import { expressionKey, type StateShape } from './state-shape.ts'
import { RawValues } from './windows/raw-values.ts'

/**
 * Carries the state that a device has under an earlier plan over to the plan that runs.
 *
 * P1. What both plans keep is carried over unchanged. What the earlier one did not keep is marked as not known: a part's fields are NaN,
 *     which no arithmetic of the fold or of `merge` turns into a number again; raw values and history columns are `notKnown`;
 *     windows and event times before the change stand behind a horizon (H4, E3).
 * P2. Where it can be told that there was nothing, it is known: the parts of a channel that had no value in a window are zero, the
 *     history of a device that never gave a result is empty.
 * P3. Of an alert policy as much is carried over as the new one keeps. Where the earlier plan kept nothing of it, no alert stands.
 * P4. What is carried over may itself hold such marks, from a change before: they stay.
 */
export type MigrateState = (state: ParsedState) => ParsedState

/** Returns how states of one shape become states of another, between which `compareStateShapes` finds no problem. */
export function stateMigration(from: StateShape, to: StateShape): MigrateState {
  const layouts = { from: stateLayout(from), to: stateLayout(to) }
  const accumulators = accumulatorMigration(layouts.from, layouts.to)
  const raw = rawMigration(layouts.from, layouts.to)
  const history = historyMigration(from, to)
  const events = eventMigration(from, to)
  const window = (old: ParsedWindow): ParsedWindow => ({
    ...old,
    accumulators: accumulators(old.accumulators),
    raw: raw(old.raw, old.readings),
  })
  return (state) => ({
    ...state,
    windows: state.windows.map(window),
    history: history(state),
    events: events(state),
    alert: alertMigration(state.alert, layouts.to.alertWindows),
  })
}

function accumulatorMigration(from: StateLayout, to: StateLayout): (fields: Float64Array) => Float64Array {
  return (old) => {
    const fields = new Float64Array(to.accumulators.fieldCount)
    for (const { channel, parts, offset } of to.accumulators.channels) {
      const kept = from.accumulators.channels.find((candidate) => candidate.channel === channel)
      // The count comes first: fields that are all zero say that the channel had no value yet.
      if (kept !== undefined && old[kept.offset] === 0) continue
      for (const [part] of partFields) {
        if ((parts & part) === 0) continue
        const at = offset + partOffset(parts, part)
        const width = fieldsOf(part)
        if (kept === undefined || (kept.parts & part) === 0) {
          fields.fill(Number.NaN, at, at + width)
        } else {
          const oldAt = kept.offset + partOffset(kept.parts, part)
          fields.set(old.subarray(oldAt, oldAt + width), at)
        }
      }
    }
    return fields
  }
}

function rawMigration(
  { raw: from }: StateLayout,
  { raw: to }: StateLayout,
): (old: RawValues | null, readings: number) => RawValues | null {
  if (to === null) return () => null
  return (old, readings) => {
    // Where no raw values were kept, one row stands for all readings.
    const count = old?.count ?? Math.min(readings, 1)
    const unknown = (): Float64Array => new Float64Array(count).fill(notKnown)
    const columns = to.channels.map((channel) => old?.columns[from?.channels.indexOf(channel) ?? -1] ?? unknown())
    const timestamps = to.timestamps
      ? ((from?.timestamps ? old?.timestamps : undefined) ?? unknown())
      : new Float64Array(0)
    return RawValues.of(count, timestamps, columns)
  }
}

function historyMigration(from: StateShape, to: StateShape): (state: ParsedState) => Float64Array {
  const oldKeys = from.history.columns.map(expressionKey)
  const sources = to.history.columns.map((column) => oldKeys.indexOf(expressionKey(column)))
  const oldStride = 1 + oldKeys.length
  const { capacity } = to.history
  return ({ history: old, emittedEndMs }) => {
    if (sources.length === 0) return new Float64Array(0)
    const count = oldKeys.length === 0 ? 0 : old.length / oldStride
    const horizonMs = oldKeys.length === 0 ? resultsHorizon(from, emittedEndMs) : historyHorizon(from, old, count)
    const taken = Math.min(count, capacity)
    const entries: number[] = []
    if (horizonMs !== null && taken < capacity) entries.push(horizonMs, ...sources.map(() => notKnown))
    for (let entry = count - taken; entry < count; entry++) {
      const at = entry * oldStride
      entries.push(old[at] as number)
      for (const source of sources) entries.push(source < 0 ? notKnown : (old[at + 1 + source] as number))
    }
    return Float64Array.from(entries)
  }
}

/**
 * Returns the horizon of a device whose plan kept no history: behind all windows that gave a result; `null` where none did. The last
 * result's end tells the greatest start that it can have had.
 */
function resultsHorizon({ window }: StateShape, emittedEndMs: number): number | null {
  if (emittedEndMs === Number.NEGATIVE_INFINITY) return null
  switch (window.kind) {
    case 'tumbling':
    case 'hopping':
      return horizonAfter(emittedEndMs - window.sizeMs)
    case 'session':
      return horizonAfter(emittedEndMs - window.gapMs)
    case 'per-reading':
      return horizonAfter(emittedEndMs - 1)
  }
}

/** Returns the horizon right before the oldest window of a history; `null` where none was dropped, or it has one already. */
function historyHorizon({ history, window }: StateShape, entries: Float64Array, count: number): number | null {
  // Of sessions that were merged one entry went, so a history may have dropped some and still have room.
  const full = window.kind === 'session' ? history.lookBack : history.capacity
  const oldest = entries[0]
  if (oldest === undefined || count < full || isHorizon(oldest)) return null
  return horizonAfter(oldest - 1)
}

function eventMigration(from: StateShape, to: StateShape): (state: ParsedState) => ParsedState['events'] {
  const sources = to.eventTypes.map((type) => from.eventTypes.indexOf(type))
  return ({ events, lastAppendMs }) => {
    // What came with the last record may be of a later time than that came at. Where there are no append times, of any.
    const unknownMs = Number.isNaN(lastAppendMs) ? Number.POSITIVE_INFINITY : lastAppendMs + from.time.maxClockAheadMs
    return sources.map((source) => events[source] ?? eventsNotKnownUpTo(unknownMs))
  }
}

function alertMigration(old: Float64Array | null, windowsMax: number | null): Float64Array | null {
  return old === null || windowsMax === null ? null : newestAlertWindows(old, windowsMax)
}
