import { assert, ConfigurationError, limits, StateFormatError } from '@millwright/core'
import {
  clock,
  emissions,
  emittedEnd,
  emittedStart,
  flagSilent,
  flagWaiting,
  lastAppend,
  ring,
  ringCount,
  windowEnd,
  windowFlags,
  windowHeaderFloats,
  windowReadings,
  windowStart,
} from '@millwright/kernels'
import { readAlertState } from './alerts/alert-states.ts'
import { ByteReader, BytesEnded } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { compareStateShapes } from './compare-state-shapes.ts'
import { clearBeside, type DeviceMemory } from './device-memory.ts'
import type { EventList } from './features/device-events.ts'
import type { ParsedState, ParsedWindow } from './parsed-state.ts'
import { ringHeld } from './redelivery.ts'
import { type StateLayout, stateLayout } from './state-layout.ts'
import { type MigrateState, stateMigration } from './state-migration.ts'
import { deviceStateVersion, type StateShape, stateShapeHash } from './state-shape.ts'
import type { WaitingReading } from './waiting-readings.ts'
import { RawValues } from './windows/raw-values.ts'

/**
 * A device's state as bytes: docs/formats/device-state.md.
 *
 * B1. Equal states are equal bytes: nothing of where a device or a window stands in memory is in them.
 * B2. Bytes are read whole and checked before anything is changed.
 * B3. Bytes of any known shape are read; what is written is of the plan that runs.
 */

/** Bits of the flags byte. */
const stateSilent = 1
const stateWaiting = 2

export class DeviceStateCodec {
  readonly #memory: DeviceMemory
  /** Hash of the plan's own shape. */
  readonly #shape: number
  readonly #redelivery: boolean
  /** By the hash of its shape, how a state is read and becomes one of this plan. */
  readonly #known = new Map<number, { readonly layout: StateLayout; readonly migrate: MigrateState }>()

  /**
   * @param shape The plan's own.
   * @param earlierShapes Of the plans whose states are read too.
   * @throws {ConfigurationError} When this plan cannot take over the states of one of them.
   */
  constructor(memory: DeviceMemory, shape: StateShape, earlierShapes: readonly StateShape[]) {
    this.#memory = memory
    this.#shape = stateShapeHash(shape)
    const layout = stateLayout(shape)
    this.#redelivery = layout.redelivery
    assert(
      layout.accumulators.fieldCount === memory.windows.accumulators.fieldCount &&
        layout.historyColumnCount === memory.history.columnCount &&
        layout.historyCapacity === memory.history.capacity &&
        layout.alertWindows === (memory.alerts?.windowsMax ?? null),
      'the shape is that of the memory',
    )
    for (const earlier of earlierShapes) {
      const { problems } = compareStateShapes(earlier, shape)
      if (problems.length > 0)
        throw new ConfigurationError("Cannot take over the devices' states of an earlier project", problems)
      this.#known.set(stateShapeHash(earlier), {
        layout: stateLayout(earlier),
        migrate: stateMigration(earlier, shape),
      })
    }
    this.#known.set(this.#shape, { layout, migrate: (state) => state })
  }

  write(device: number, writer: ByteWriter): void {
    const { table, waiting, history, events, alerts } = this.#memory
    const left = table.has(device, flagWaiting) ? waiting.get(device) : undefined
    writer.uint8(deviceStateVersion)
    writer.uint32(this.#shape)
    writer.uint8((table.has(device, flagSilent) ? stateSilent : 0) | (left === undefined ? 0 : stateWaiting))
    writer.float64(table.float(device, clock))
    writer.float64(table.float(device, lastAppend))
    writer.float64(table.float(device, emittedEnd))
    this.#writeRing(device, writer)
    if (left !== undefined) writeWaiting(left, writer)
    this.#writeWindows(device, writer)
    const entries = history.entries(device)
    writer.uint32(entries.length / (1 + history.columnCount))
    writer.float64s(entries, 0, entries.length)
    for (let type = 0; type < events.types.length; type++) writeEvents(events.lists(device)[type], writer)
    alerts?.write(device, writer)
  }

  /** @throws {StateFormatError} When the bytes are of another version, of no known shape, cut, or too long. */
  read(device: number, bytes: Uint8Array): void {
    const state = this.#parse(bytes)
    const { table, windows, waiting, history, events, alerts } = this.#memory
    if (table.exists(device)) clearBeside(this.#memory, device)
    alerts?.forget(device)
    table.begin(device)
    table.setFlag(device, flagSilent, state.silent)
    table.setFloat(device, clock, state.clockMs)
    table.setFloat(device, lastAppend, state.lastAppendMs)
    table.setFloat(device, emittedEnd, state.emittedEndMs)
    table.setInt(device, ringCount, state.hashes.length / 2)
    for (const [i, word] of state.hashes.entries()) table.setInt(device, ring + i, word)
    if (state.waiting !== null) {
      waiting.set(device, state.waiting)
      table.setFlag(device, flagWaiting, true)
    }
    let previous = -1
    for (const window of state.windows) {
      const slot = windows.open(device, previous, window.startMs, window.endMs)
      windows.setFloat(slot, windowReadings, window.readings)
      windows.setFloat(slot, emittedStart, window.emittedStartMs)
      windows.setInt(slot, emissions, window.emissions)
      windows.setInt(slot, windowFlags, window.flags)
      windows.floats.set(window.accumulators, slot + windowHeaderFloats)
      if (window.raw !== null) windows.setRaw(slot, window.raw)
      previous = slot
    }
    if (state.history.length > 0) history.setEntries(device, state.history)
    if (state.alert !== null) alerts?.put(device, state.alert)
    if (state.events.some(({ times }) => times.length > 0)) events.setLists(device, state.events)
  }

  #writeRing(device: number, writer: ByteWriter): void {
    const { table } = this.#memory
    const held = this.#redelivery ? ringHeld(table, device) : 0
    const count = table.int(device, ringCount)
    writer.uint8(held)
    // Oldest first, so that a ring which begins anew at place 0 forgets in the same order.
    for (let i = 0; i < held; i++) {
      const place = ring + 2 * ((count - held + i) % limits.redeliveryReadings)
      writer.uint32(table.int(device, place) >>> 0)
      writer.uint32(table.int(device, place + 1) >>> 0)
    }
  }

  #writeWindows(device: number, writer: ByteWriter): void {
    const { windows } = this.#memory
    let windowCount = 0
    for (let slot = windows.first(device); slot !== -1; slot = windows.next(slot)) windowCount += 1
    writer.uint32(windowCount)
    for (let slot = windows.first(device); slot !== -1; slot = windows.next(slot)) {
      writer.float64(windows.float(slot, windowStart))
      writer.float64(windows.float(slot, windowEnd))
      writer.float64(windows.float(slot, windowReadings))
      writer.float64(windows.float(slot, emittedStart))
      writer.uint32(windows.int(slot, emissions))
      writer.uint8(windows.int(slot, windowFlags))
      const base = slot + windowHeaderFloats
      writeFields(windows.floats, base, base + windows.accumulators.fieldCount, writer)
      const raw = windows.raw(slot)
      if (raw !== null) {
        writer.uint32(raw.count)
        if (windows.rawLayout?.timestamps) writer.float64s(raw.timestamps, 0, raw.count)
        for (const column of raw.columns) writer.float64s(column, 0, raw.count)
      }
    }
  }

  #parse(bytes: Uint8Array): ParsedState {
    const reader = new ByteReader(bytes)
    try {
      const version = reader.uint8()
      if (version !== deviceStateVersion)
        throw formatError(`it must be of version ${deviceStateVersion}: found ${version}`, { version })
      const shape = reader.uint32()
      const known = this.#known.get(shape)
      if (known === undefined)
        throw formatError('it must be of the plan that runs: it was written by another one', { shape })
      const state = readBody(reader, known.layout)
      if (reader.left > 0) throw formatError(`${reader.left} bytes must not follow its end`, { left: reader.left })
      return known.migrate(state)
    } catch (error) {
      if (error instanceof BytesEnded)
        throw formatError(`it must be longer: it ends after ${bytes.length} bytes`, { byteLength: bytes.length })
      throw error
    }
  }
}

function readBody(reader: ByteReader, layout: StateLayout): ParsedState {
  const flags = reader.uint8()
  const clockMs = reader.float64()
  const lastAppendMs = reader.float64()
  const emittedEndMs = reader.float64()
  const held = reader.uint8()
  if (held > (layout.redelivery ? limits.redeliveryReadings : 0))
    throw formatError(`a ring of readings must have at most ${limits.redeliveryReadings}: found ${held}`, { held })
  const hashes = Array.from({ length: 2 * held }, () => reader.uint32() | 0)
  const waiting = (flags & stateWaiting) === 0 ? null : readWaiting(reader, layout.channelCount)
  const windowCount = reader.uint32()
  if (windowCount > limits.openWindowsPerDeviceMax)
    throw formatError(`there must be at most ${limits.openWindowsPerDeviceMax} windows: found ${windowCount}`, {
      windowCount,
    })
  const windows: ParsedWindow[] = []
  for (let i = 0; i < windowCount; i++) {
    windows.push({
      startMs: reader.float64(),
      endMs: reader.float64(),
      readings: reader.float64(),
      emittedStartMs: reader.float64(),
      emissions: reader.uint32(),
      flags: reader.uint8(),
      accumulators: reader.float64s(layout.accumulators.fieldCount),
      raw: layout.raw === null ? null : RawValues.read(layout.raw, reader),
    })
  }
  const historyCount = reader.uint32()
  if (historyCount > layout.historyCapacity)
    throw formatError(`there must be at most ${layout.historyCapacity} windows of history: found ${historyCount}`, {
      historyCount,
    })
  const history = reader.float64s(historyCount * (1 + layout.historyColumnCount))
  const events = Array.from({ length: layout.eventTypeCount }, () => readEvents(reader))
  const alert = layout.alertWindows === null ? null : readAlertState(reader, layout.alertWindows, formatError)
  return {
    silent: (flags & stateSilent) !== 0,
    clockMs,
    lastAppendMs,
    emittedEndMs,
    hashes,
    waiting,
    windows,
    history,
    events,
    alert,
  }
}

/** Writes fields so that each NaN is the same bytes: the fold and its plain twin may leave other bits in one (B1). */
function writeFields(fields: Float64Array, start: number, end: number, writer: ByteWriter): void {
  for (let at = start; at < end; at++) {
    const field = fields[at] as number
    if (Number.isNaN(field)) {
      writer.uint32(0)
      writer.uint32(0x7ff80000)
    } else writer.float64(field)
  }
}

function writeWaiting({ timestampMs, values, record }: WaitingReading, writer: ByteWriter): void {
  writer.float64(timestampMs)
  writer.float64s(values, 0, values.length)
  writer.uint32(record.byteLength)
  writer.uint32(record.kept.length)
  writer.bytes(record.kept)
}

function readWaiting(reader: ByteReader, channelCount: number): WaitingReading {
  const timestampMs = reader.float64()
  const values = reader.float64s(channelCount)
  const byteLength = reader.uint32()
  return { timestampMs, values, record: { byteLength, kept: reader.bytes(reader.uint32()) } }
}

function writeEvents(list: EventList | undefined, writer: ByteWriter): void {
  const count = list?.times.length ?? 0
  writer.uint32(count)
  for (let i = 0; i < count; i++) {
    writer.float64(list?.times[i] as number)
    writer.uint32(list?.digests[i] as number)
  }
}

function readEvents(reader: ByteReader): EventList {
  const count = reader.uint32()
  if (count > limits.eventsPerDeviceMax)
    throw formatError(`there must be at most ${limits.eventsPerDeviceMax} events of a type: found ${count}`, { count })
  const list: EventList = { times: [], digests: [] }
  for (let i = 0; i < count; i++) {
    list.times.push(reader.float64())
    list.digests.push(reader.uint32())
  }
  return list
}

function formatError(wanted: string, details: Readonly<Record<string, number>>): StateFormatError {
  return new StateFormatError(`Cannot restore the state of a device as ${wanted}`, { details })
}
