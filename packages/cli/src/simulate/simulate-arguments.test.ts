import { ConfigurationError } from '@millwright/core'
import { expect, test } from 'vitest'
import { readSimulateFlags, type SimulateFlags } from './simulate-arguments.ts'

const defaults: SimulateFlags = { devices: '10', rate: '1', duration: '1 h', seed: '1', malformed: '0' }
const nowMs = Date.parse('2026-03-04T05:06:07.890Z')
const read = (flags: Partial<SimulateFlags>) => readSimulateFlags({ ...defaults, ...flags }, nowMs)

/** The fields found wrong. */
function problemsOf(flags: Partial<SimulateFlags>): string[] {
  try {
    read(flags)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.map((problem) => problem.field)
    throw error
  }
  return []
}

test('readSimulateFlags() gives an hour of ten healthy devices to stdout when nothing is said', () => {
  expect(read({})).toEqual({
    simulation: {
      deviceCount: 10,
      ratePerDeviceHz: 1,
      durationMs: 3_600_000,
      seed: 1,
      startMs: Date.parse('2026-01-05T00:00:00Z'),
      faults: [],
      malformedShare: 0,
    },
    destination: { kind: 'stdout' },
    speed: null,
    truthPath: null,
    json: false,
  })
})

test.each([
  ['90 s', 90_000],
  ['10min', 600_000],
  ['1.5 h', 5_400_000],
  ['30 d', 2_592_000_000],
])('readSimulateFlags() reads --duration %s', (duration, expected) => {
  expect(read({ duration }).simulation.durationMs).toBe(expected)
})

test.each([
  '',
  '3',
  '-1 s',
  '0 s',
  '1 week',
  '1e3 s',
  '4000 d',
])('readSimulateFlags() refuses --duration "%s"', (duration) => {
  expect(problemsOf({ duration })).toEqual(['--duration'])
})

test('readSimulateFlags() starts now, at a whole second, where lines are paced by the clock', () => {
  expect(read({ realtime: true }).simulation.startMs).toBe(Date.parse('2026-03-04T05:06:07Z'))
  expect(read({ realtime: true }).speed).toBe(1)
  expect(read({ realtime: true, speed: '60' }).speed).toBe(60)
  expect(read({ realtime: true, start: '2026-01-01T00:00:00+01:00' }).simulation.startMs).toBe(
    Date.parse('2025-12-31T23:00:00Z'),
  )
})

test.each([
  '2026',
  '2026-01-05',
  '2026-01-05T00:00:00',
  '1969-01-01T00:00:00Z',
  'yesterday',
])('readSimulateFlags() refuses --start %s', (start) => expect(problemsOf({ start })).toEqual(['--start']))

test('readSimulateFlags() reads faults with and without a share, and all of them', () => {
  expect(read({ fault: ['gap=0.5', 'leak'] }).simulation.faults).toEqual([
    { kind: 'gap', share: 0.5 },
    { kind: 'leak', share: 0.05 },
  ])
  expect(read({ fault: ['all=0.01'] }).simulation.faults).toHaveLength(11)
})

test.each([
  '',
  'gremlin',
  'gap=',
  'gap=2',
  'gap=0.1=0.2',
  '=0.1',
])('readSimulateFlags() refuses --fault "%s"', (fault) => {
  expect(problemsOf({ fault: [fault] })).toEqual(['--fault'])
})

test.each([
  ['devices', '0'],
  ['devices', '1.5'],
  ['devices', ''],
  ['rate', '0'],
  ['rate', 'Infinity'],
  ['seed', '-1'],
  ['malformed', '1.1'],
  ['speed', '2'],
] as const)('readSimulateFlags() refuses --%s "%s"', (flag, value) => {
  expect(problemsOf({ [flag]: value })).toEqual([`--${flag}`])
})

test.each([
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/api/readings'],
  ['http://localhost', 'http://localhost/api/readings'],
  ['http://[::1]:9/other', 'http://[::1]:9/other'],
  ['http://127.1:80/', 'http://127.0.0.1/api/readings'],
])('readSimulateFlags() takes the loopback address %s', (http, expected) => {
  const { destination } = read({ http })
  expect(destination.kind === 'http' && destination.url.href).toBe(expected)
})

test.each([
  'http://10.0.0.7',
  'http://example.com',
  'http://127.0.0.1.example.com',
  'http://localhost.example.com',
  'ftp://127.0.0.1',
  'nonsense',
])('readSimulateFlags() refuses %s without --allow-remote', (http) => expect(problemsOf({ http })).toEqual(['--http']))

test('readSimulateFlags() takes another machine with --allow-remote', () => {
  expect(read({ http: 'https://plant.example.com', allowRemote: true }).destination.kind).toBe('http')
})

test('readSimulateFlags() refuses two destinations, and a result on stdout beside the lines', () => {
  expect(problemsOf({ http: 'http://127.0.0.1', out: 'x' })).toEqual(['--http'])
  expect(problemsOf({ json: true })).toEqual(['--json'])
  expect(problemsOf({ json: true, out: '-' })).toEqual(['--json'])
  expect(problemsOf({ json: true, out: 'x' })).toEqual([])
})

test('readSimulateFlags() reports every problem at once', () => {
  expect(problemsOf({ devices: 'x', rate: 'y', duration: 'z', fault: ['a', 'b'] })).toEqual([
    '--devices',
    '--rate',
    '--duration',
    '--fault',
    '--fault',
  ])
})
