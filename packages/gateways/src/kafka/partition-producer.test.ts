/**
 * Against a broker of a few lines that keeps Kafka's rules of identities and sequences, and breaks the connection before or after
 * it has written, as drawn: what is acknowledged is there once and in order.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KafkaClosedError, KafkaRefusedError, KafkaUnreachableError } from './errors.ts'
import { type OfferedBatch, type ProducerPort, sequenceAfter } from './idempotent-session.ts'
import { PartitionProducer } from './partition-producer.ts'
import type { NewRecord } from './record.ts'

type Fate = 'written' | 'lost-request' | 'lost-answer' | 'moved'

class ModelBroker implements ProducerPort {
  readonly log: string[] = []
  readonly #fates: Fate[]
  readonly #next = new Map<bigint, { epoch: number; sequence: number; last: string }>()
  #identities = 0n
  onOffer: (() => void) | null = null

  constructor(fates: readonly Fate[]) {
    this.#fates = [...fates]
  }

  async newIdentity() {
    return { producerId: this.#identities++, producerEpoch: 0 }
  }

  async offer(batch: OfferedBatch): Promise<void> {
    this.onOffer?.()
    const fate = this.#fates.shift() ?? 'written'
    await Promise.resolve()
    if (fate === 'lost-request') throw new KafkaUnreachableError('the request was lost')
    if (fate === 'moved') throw new KafkaRefusedError('moved', { details: { kafkaError: 'NOT_LEADER_OR_FOLLOWER' } })
    this.take(batch)
    if (fate === 'lost-answer') throw new KafkaUnreachableError('the answer was lost')
  }

  /** Source: apache/kafka `storage/…/ProducerAppendInfo.java`. */
  take({ identity, sequence, records }: OfferedBatch): void {
    const known = this.#next.get(identity.producerId)
    const body = JSON.stringify([sequence, records.map(textOf)])
    if (known !== undefined && identity.producerEpoch < known.epoch)
      throw new KafkaRefusedError('old', { details: { kafkaError: 'INVALID_PRODUCER_EPOCH' } })
    const isNewEpoch = known === undefined || identity.producerEpoch > known.epoch
    if (!isNewEpoch && body === known.last) return
    if (sequence !== (isNewEpoch ? 0 : known.sequence))
      throw new KafkaRefusedError('gap', { details: { kafkaError: 'OUT_OF_ORDER_SEQUENCE_NUMBER' } })
    this.#next.set(identity.producerId, {
      epoch: identity.producerEpoch,
      sequence: sequenceAfter(sequence, records.length),
      last: body,
    })
    this.log.push(...records.map(textOf))
  }

  forgetProducers(): void {
    this.#next.clear()
    // A broker that knows nothing of a producer takes its first batch only from the beginning, in this model.
  }
}

const times = { deliveryMsMax: 60_000, retryPauseMs: 0 }
const textOf = ({ value }: NewRecord): string => Buffer.from(value).toString()
const recordsOf = (texts: readonly string[]): NewRecord[] =>
  texts.map((text) => ({ key: null, value: Buffer.from(text) }))

test('write() puts every record into the partition once and in order, whatever is lost on the way (P1, P2)', async () => {
  const fates = fc.array(fc.constantFrom<Fate>('written', 'lost-request', 'lost-answer', 'moved'), { maxLength: 12 })
  const calls = fc.array(fc.nat(5), { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(fates, calls, async (drawn, sizes) => {
      const broker = new ModelBroker(drawn)
      const producer = new PartitionProducer(broker, 'sensor-data', 0, times)
      let count = 0
      const texts = sizes.map((size) => Array.from({ length: size }, () => String(count++)))
      await Promise.all(texts.map((each) => producer.write(recordsOf(each))))
      expect(broker.log).toEqual(texts.flat())
    }),
    { numRuns: 60 },
  )
})

test('write() begins a new session where the broker has forgotten the old one, before anything of the batch was sent (P2)', async () => {
  const broker = new ModelBroker([])
  const producer = new PartitionProducer(broker, 'sensor-data', 0, times)
  await producer.write(recordsOf(['1']))
  broker.forgetProducers()
  await producer.write(recordsOf(['2']))
  expect(broker.log).toEqual(['1', '2'])
})

test('write() gives a batch up with what waits behind it, and what comes late of it is shut out (P3)', async () => {
  const broker = new ModelBroker(['lost-request'])
  const late: OfferedBatch[] = []
  const port: ProducerPort = {
    newIdentity: () => broker.newIdentity(),
    offer(batch) {
      if (late.length === 0) late.push(batch)
      return broker.offer(batch)
    },
  }
  const producer = new PartitionProducer(port, 'sensor-data', 0, { deliveryMsMax: 0, retryPauseMs: 0 })
  const outcomes = await Promise.allSettled([producer.write(recordsOf(['1'])), producer.write(recordsOf(['2']))])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await producer.write(recordsOf(['3']))
  expect(() => broker.take(late[0] as OfferedBatch)).toThrow(KafkaRefusedError)
  expect(broker.log).toEqual(['3'])
})

test('write() throws at once what does not pass', async () => {
  const port: ProducerPort = {
    newIdentity: async () => ({ producerId: 1n, producerEpoch: 0 }),
    offer: async () => {
      throw new KafkaRefusedError('no', { details: { kafkaError: 'TOPIC_AUTHORIZATION_FAILED' } })
    },
  }
  await expect(new PartitionProducer(port, 'x', 0, times).write(recordsOf(['1']))).rejects.toThrow(KafkaRefusedError)
})

test('close() gives up what Kafka has not acknowledged, and takes no more', async () => {
  const broker = new ModelBroker(new Array<Fate>(1000).fill('lost-request'))
  const producer = new PartitionProducer(broker, 'sensor-data', 0, { deliveryMsMax: 60_000, retryPauseMs: 60_000 })
  const offered = new Promise<void>((resolve) => {
    broker.onOffer = resolve
  })
  const write = producer.write(recordsOf(['1']))
  await offered
  producer.close()
  await expect(write).rejects.toThrow(KafkaClosedError)
  await expect(producer.write(recordsOf(['2']))).rejects.toThrow(KafkaClosedError)
})

test('sequenceAfter() begins anew after 31 bits', () => {
  expect(sequenceAfter(0, 5)).toBe(5)
  expect(sequenceAfter(0x7fff_fffe, 1)).toBe(0x7fff_ffff)
  expect(sequenceAfter(0x7fff_ffff, 1)).toBe(0)
  expect(sequenceAfter(0x7fff_fffe, 5)).toBe(3)
})
