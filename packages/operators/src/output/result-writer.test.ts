import { type DevicePolicy, float32ToJson, heartbeatDevicePrefix } from '@millwright/core'
import { createPlanDriver, formulaModel, planOf } from '@millwright/testkit'
import { describe, expect, test } from 'vitest'

const perReading = planOf({
  channels: ['a', 'b', 'c'],
  window: { kind: 'per-reading' },
  features: {
    'first "a"': { kind: 'aggregate', statistic: 'last', channel: 'a' },
    b: { kind: 'aggregate', statistic: 'last', channel: 'b' },
    c: { kind: 'aggregate', statistic: 'last', channel: 'c' },
  },
  threshold: 0.8,
  whyMax: 2,
})
const featureNames = perReading.features.map(({ name }) => name)

/** Probability is feature a; contributions are b, c and 0. */
const model = formulaModel({
  version: '1.0',
  threshold: 0.1,
  featureNames,
  probability: (row) => row[0] as number,
  contributions: (row) => [0.25, row[1] as number, row[2] as number, -7],
})

describe('alert-signals', () => {
  test('has exactly these bytes where the risk is high, and no reasons where it is not', () => {
    const driver = createPlanDriver(perReading)
    driver.activate(model)
    driver.reading({ deviceId: 'press "7"', timestamp: 1_766_000_000_000, a: 0.9, b: -0.1, c: 0.5 })
    driver.reading({ deviceId: 'press "7"', timestamp: 1_766_000_000_001, a: 0.7, b: null, c: 1e21 })
    expect(driver.take('alert-signals').map(({ line }) => line)).toEqual([
      '{"deviceId":"press \\"7\\"","probability":0.9,"status":"High risk of failure","windowStart":1766000000000,' +
        '"windowEnd":1766000000001,"revision":0,"model":{"name":"risk","version":"1.0"},' +
        '"features":{"first \\"a\\"":0.9,"b":-0.1,"c":0.5},' +
        '"why":[{"feature":"c","value":0.5,"contribution":0.5},{"feature":"first \\"a\\"","value":0.9,"contribution":0.25}]}',
      '{"deviceId":"press \\"7\\"","probability":0.7,"status":"Normal","windowStart":1766000000001,' +
        '"windowEnd":1766000000002,"revision":0,"model":{"name":"risk","version":"1.0"},' +
        '"features":{"first \\"a\\"":0.7,"b":null,"c":1e+21}}',
    ])
  })

  test('lists equal contributions in the order of the features, by size whatever their sign', () => {
    const driver = createPlanDriver(perReading)
    driver.activate(model)
    driver.reading({ deviceId: 'd', timestamp: 1_766_000_000_000, a: 1, b: -0.25, c: 0.25 })
    const [alert] = driver.take('alert-signals')
    expect(alert?.message.why).toEqual([
      { feature: 'first "a"', value: 1, contribution: 0.25 },
      { feature: 'b', value: -0.25, contribution: -0.25 },
    ])
  })

  test('gives missing features to the model as NaN', () => {
    const rows: number[][] = []
    const driver = createPlanDriver(perReading)
    driver.activate(
      formulaModel({ version: '1', threshold: 1, featureNames, probability: (row) => rows.push([...row]) / 100 }),
    )
    driver.reading({ deviceId: 'd', timestamp: 1_766_000_000_000, b: 2 })
    driver.take()
    expect(rows).toEqual([[Number.NaN, 2, Number.NaN]])
  })

  test('keeps every window with its own model and row, however many are scored together (O2, O3)', () => {
    const driver = createPlanDriver(perReading)
    const versioned = (version: string, factor: number) =>
      formulaModel({ version, threshold: 1, featureNames, probability: (row) => (row[0] as number) * factor })
    driver.appendTimeMs = 1000
    driver.activate(versioned('v1', 1), 0)
    const count = 3000
    for (let i = 0; i < count; i++) {
      driver.appendTimeMs = 2000 + i
      if (i === 700 || i === 2100) driver.activate(versioned(`v${i}`, 1 / i), driver.appendTimeMs + 50)
      driver.reading({ deviceId: `d${i % 7}`, timestamp: i, a: i / count, b: 0, c: 0 })
    }
    const messages = driver.take()
    const alerts = messages.filter(({ topic }) => topic === 'alert-signals')
    expect(alerts.length).toBe(count)
    for (const [i, { message }] of alerts.entries()) {
      const [version, factor] = i < 750 ? ['v1', 1] : i < 2150 ? ['v700', 1 / 700] : ['v2100', 1 / 2100]
      expect(message).toMatchObject({ deviceId: `d${i % 7}`, windowStart: i, model: { version } })
      const probability = Math.fround(Math.fround(i / count) * (factor as number))
      expect(message.probability).toBe(Number(float32ToJson(probability)))
    }
    const offsets = messages.map(({ inputOffset }) => inputOffset)
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
  })
})

describe('what an alert policy says', () => {
  const answers = (probability: number) =>
    formulaModel({ version: '1', threshold: 0.5, featureNames: ['mean'], probability: () => probability })
  const policy: DevicePolicy = {
    levels: [
      { severity: 'warning', threshold: 0.5, clearThreshold: null },
      { severity: 'critical', threshold: 0.75, clearThreshold: null },
    ],
    windows: { high: 1, of: 1 },
    minimumDurationMs: 0,
    clearAfterMs: null,
  }
  const mute = { cause: 'stopped', beginType: 'stop', endType: 'start', atMostMs: null, settleMs: 0 } as const
  const plan = planOf({
    window: { kind: 'per-reading' },
    whyMax: 0,
    alertRules: { policy, devices: [], mutes: [mute] },
  })
  const keysAfter = (line: string): string => line.slice(line.indexOf('"features"'))

  test('has exactly these bytes, behind the other keys', () => {
    const driver = createPlanDriver(plan)
    const window = (probability: number, timestamp: number): void => {
      driver.activate(answers(probability))
      driver.reading({ deviceId: 'd', timestamp, x: 1 })
    }
    for (const [i, probability] of [0.25, 0.625, 0.625, 0.875, 0.625, 0.25, 0.875].entries()) window(probability, i)
    driver.event({ deviceId: 'd', timestamp: 1000, type: 'stop' })
    window(0.875, 1000)
    const high = '"features":{"mean":1},"why":[]'
    const normal = '"features":{"mean":1}'
    const messages = driver.take()
    expect(messages.filter(({ topic }) => topic === 'alert-signals').map(({ line }) => keysAfter(line))).toEqual([
      `${normal}}`,
      `${high},"alert":{"mark":"raising","severity":"warning","since":2}}`,
      `${high},"alert":{"mark":"holding","severity":"warning","since":2}}`,
      `${high},"alert":{"mark":"holding","severity":"critical","since":2,"before":"warning"}}`,
      `${high},"alert":{"mark":"holding","severity":"warning","since":2,"before":"critical"}}`,
      `${normal},"alert":{"mark":"clearing","severity":"warning","since":2,"cause":"probability"}}`,
      `${high},"alert":{"mark":"raising","severity":"critical","since":7}}`,
      `${high},"muted":"stopped"}`,
    ])
    expect(messages.filter(({ topic }) => topic === 'device-status').map(({ line }) => line)).toEqual([
      '{"deviceId":"d","kind":"alert-cleared","at":1000,"cause":"stopped","severity":"critical","since":7}',
    ])
  })

  test('is nothing of the heartbeat, which is no machine', () => {
    const driver = createPlanDriver(plan)
    driver.activate(answers(0.875))
    driver.reading({ deviceId: `${heartbeatDevicePrefix}0`, timestamp: 1, x: 1 })
    const [alert] = driver.take('alert-signals')
    expect(keysAfter(alert?.line ?? '')).toBe('"features":{"mean":1},"why":[]}')
    expect(driver.counter('alerts_raised_total{severity="critical"}')).toBe(0)
  })
})

describe('dead-letters', () => {
  const plan = planOf()
  const deadLetter = (bytes: Uint8Array) => {
    const driver = createPlanDriver(plan)
    driver.reading(bytes)
    const [letter] = driver.take('dead-letters')
    return { line: letter?.line ?? '', ...letter?.message }
  }
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

  test('has exactly these bytes', () => {
    expect(deadLetter(encode('{"deviceId":"p-1","timestamp":"now"}')).line).toBe(
      '{"reason":"timestamp-not-a-time","message":"timestamp: found text \\"now\\", wanted epoch milliseconds, or ISO 8601 with a ' +
        'zone such as \\"2025-12-17T19:33:20Z\\"","topic":"sensor-data","deviceId":"p-1",' +
        '"bytes":"{\\"deviceId\\":\\"p-1\\",\\"timestamp\\":\\"now\\"}","encoding":"utf-8","byteLength":36}',
    )
  })

  test('keeps the first 64 KiB, and leaves out a character that the cut went through', () => {
    const cut = deadLetter(encode(`${'x'.repeat(65_535)}ö and more`))
    expect(cut).toMatchObject({ bytes: 'x'.repeat(65_535), encoding: 'utf-8', byteLength: 65_546 })
    const four = deadLetter(encode(`${'x'.repeat(65_533)}𝄞`))
    expect(four).toMatchObject({ bytes: 'x'.repeat(65_533), byteLength: 65_537 })
  })

  test('keeps what is not UTF-8 as base64', () => {
    const bytes = Uint8Array.of(0x7b, 0xff, 0x00, 0x80)
    expect(deadLetter(bytes)).toMatchObject({ encoding: 'base64', bytes: Buffer.from(bytes).toString('base64') })
    const cut = deadLetter(Uint8Array.from({ length: 70_000 }, () => 0xc3))
    expect(Buffer.from(cut.bytes, 'base64').length).toBe(65_536)
    expect(cut.byteLength).toBe(70_000)
  })

  test('keeps text whose escapes would outgrow a frame of the log as base64', () => {
    const letter = deadLetter(new Uint8Array(65_536).fill(1))
    expect(letter.encoding).toBe('base64')
    expect(letter.line.length).toBeLessThan(100_000)
  })
})
