/** Method: a troubled fleet goes through the real operators; what they count must be what the simulator says it did. */
import type { OutputTopic } from '@millwright/core'
import { createPartitionOperator, createReadingDecoder } from '@millwright/operators'
import { definePlant, mean, std, tumbling } from '@millwright/plant'
import { expect, test } from 'vitest'
import { createSimulation } from './simulation.ts'

const plan = definePlant({
  name: 'simulated',
  channels: { temperature: { unit: '°C' }, vibration: { unit: 'mm/s' }, pressure: { unit: 'bar' } },
  window: tumbling('5 min'),
  features: { tempStd: std('temperature'), vibration: mean('vibration'), pressure: mean('pressure') },
})
const options = {
  seed: 3,
  deviceCount: 50,
  ratePerDeviceHz: 0.5,
  startMs: 1_767_571_200_000,
  durationMs: 2 * 3_600_000,
}

/** Runs a simulation through the operators; returns their counters, and the dead letters by reason. */
function operate(simulation: ReturnType<typeof createSimulation>) {
  const refused: Record<string, number> = {}
  const emit = (topic: OutputTopic, _deviceId: string | null, _offset: number, line: string): void => {
    if (topic !== 'dead-letters') return
    const { reason } = JSON.parse(line)
    refused[reason] = (refused[reason] ?? 0) + 1
  }
  const decoder = createReadingDecoder({
    channels: ['temperature', 'vibration', 'pressure'],
    timestamp: 'event',
    devicesMax: 100,
  })
  const operator = createPartitionOperator({ plan, decoder, sink: { emit } })
  const chunk = new Uint8Array(1 << 16)
  let offset = 0
  for (let length = simulation.fill(chunk); length > 0; length = simulation.fill(chunk)) {
    operator.readings(chunk.slice(0, length), offset, Number.NaN)
    offset += chunk.length
  }
  operator.endOfInput(offset)
  operator.flush()
  return { refused, counters: operator.counters }
}

test('malformed lines are refused for the reasons that the simulator counts, each one', () => {
  const simulation = createSimulation({ ...options, malformedShare: 0.02 })
  const { refused, counters } = operate(simulation)
  expect(refused).toEqual(simulation.counts.malformed)
  expect(counters['readings_in_total']).toBe(simulation.counts.lines)
})

test('redelivered readings are known as such, each one, and no other reading is', () => {
  const simulation = createSimulation({ ...options, faults: [{ kind: 'duplicate', share: 0.5 }] })
  const { counters } = operate(simulation)
  expect(simulation.counts.redelivered).toBeGreaterThan(1000)
  expect(counters['redelivered_total']).toBe(simulation.counts.redelivered)
  expect(counters['readings_accepted_total']).toBe(simulation.counts.lines - simulation.counts.redelivered)
})

test('late batches come late, gaps do not, and a healthy fleet fills every window', () => {
  const late = createSimulation({ ...options, faults: [{ kind: 'late-batch', share: 0.2 }] })
  const lateCounters = operate(late).counters
  // Batches are delivered minutes after their end: a few may still find their last window open.
  expect(lateCounters['late_readings_total']).toBeGreaterThan(0.5 * late.counts.late)
  expect(lateCounters['late_readings_total']).toBeLessThanOrEqual(late.counts.late)
  expect(
    operate(createSimulation({ ...options, faults: [{ kind: 'gap', share: 0.5 }] })).counters['late_readings_total'],
  ).toBe(0)
  const healthy = operate(createSimulation(options)).counters
  expect(healthy['windows_closed_total']).toBe(50 * 24)
  expect(healthy['late_readings_total']).toBe(0)
})
