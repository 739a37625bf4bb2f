import { seenEverywhereMs } from '@millwright/cluster/kafka'
import type { KafkaRecord } from '@millwright/gateways/kafka'
import { definePlant, mean, std, tumbling } from '@millwright/plant'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { pressPackage } from '../commands/command-testing.ts'
import { KafkaModels } from './model-updates.ts'
import type { UpdatesTopic } from './updates-topic.ts'

// Method: the topic is a list of records, and the clock stands still; how long a write took is what the record's append time says.

const plan = definePlant({
  name: 'press-shop',
  channels: { temperature: { unit: '°C' }, vibration: { unit: 'mm/s' } },
  window: tumbling('1 min'),
  features: { tempStd: std('temperature'), vibration: mean('vibration') },
  model: 'press',
})
const nowMs = Date.UTC(2026, 10, 23, 6)
/** What `KafkaModels` puts an update ahead. */
const aheadMs = 1000

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: nowMs }))
afterEach(() => void vi.useRealTimers())

/** A topic in memory whose appends take a time that can be set. */
function slowTopic(): UpdatesTopic & { appendMs: number } {
  const records: KafkaRecord[] = []
  return {
    appendMs: 0,
    async *read(from) {
      yield* records.slice(from)
    },
    async append(written) {
      const appendTimeMs = Date.now() + this.appendMs
      for (const { key, value } of written)
        records.push({ partition: 0, offset: records.length, appendTimeMs, causeTimeMs: null, key, value })
    },
    close: async () => undefined,
  }
}

test('inForceFromMs() of an update that was written in time is its moment', async () => {
  const topic = slowTopic()
  const models = new KafkaModels(topic, plan)
  for (topic.appendMs of [0, aheadMs - seenEverywhereMs - 1]) {
    const update = await models.publish(pressPackage(`after ${topic.appendMs}`))
    expect(update.activeFrom).toBe(nowMs + aheadMs)
    expect(models.inForceFromMs(update)).toBe(update.activeFrom)
  }
})

test('inForceFromMs() of an update that was written late is when every subtask has it, and so is what inForce() says (U4)', async () => {
  const topic = slowTopic()
  const models = new KafkaModels(topic, plan)
  const first = await models.publish(pressPackage('first'))
  for (topic.appendMs of [aheadMs - seenEverywhereMs, 700, 5000]) {
    vi.setSystemTime(nowMs)
    const appendTimeMs = nowMs + topic.appendMs
    const update = await models.publish(pressPackage(`after ${topic.appendMs}`))
    expect(update.activeFrom).toBe(nowMs + aheadMs)
    const fromMs = models.inForceFromMs(update)
    expect(fromMs).toBe(appendTimeMs + seenEverywhereMs + 1)
    vi.setSystemTime(fromMs - 1)
    expect((await models.inForce())?.version).not.toBe(update.version)
    vi.setSystemTime(fromMs)
    expect((await models.inForce())?.version).toBe(update.version)
  }
  expect(models.inForceFromMs(first)).toBe(first.activeFrom)
})

test('inForceFromMs() of a rollback is of the rollback, not of the first time that the model was published', async () => {
  const topic = slowTopic()
  const models = new KafkaModels(topic, plan)
  await models.publish(pressPackage('1'))
  vi.setSystemTime(nowMs + 60_000)
  await models.publish(pressPackage('2'))
  topic.appendMs = 900
  const update = await models.rollback()
  expect(update.version).toBe('1')
  expect(models.inForceFromMs(update)).toBe(nowMs + 60_000 + topic.appendMs + seenEverywhereMs + 1)
})
