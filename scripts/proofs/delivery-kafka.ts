/**
 * Proof: changes of cases that are on Kafka are told to a topic of Kafka, by TLS with a login: each at least once, in its machine's
 * order, over a killed broker and over a channel that dies without a word. A login that is refused is said without its secret, loses
 * nothing, and parks nothing.
 *
 *   node scripts/proofs/delivery-kafka.ts
 */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KafkaCases } from '../../packages/cli/src/notify/kafka-cases.ts'
import { authorityPath } from '../../packages/cluster/src/development/certificates.ts'
import { topicDefinitions } from '../../packages/cluster/src/index.ts'
import { partitionOf } from '../../packages/core/src/index.ts'
import { caseRecord } from '../../packages/gateways/src/delivery/testing/cases.ts'
import { type Deliveries, readSecrets, startDeliveries, testChannel } from '../../packages/gateways/src/index.ts'
import { producerPortOf } from '../../packages/gateways/src/kafka/idempotent-session.ts'
import { BrokerLink, PartitionProducer } from '../../packages/gateways/src/kafka/index.ts'
import { definePlant, mean, tumbling } from '../../packages/plant/src/index.ts'
import { readTopic } from './support/cluster-records.ts'
import { eventually, prove } from './support/proof.ts'
import { withProofCluster } from './support/proof-cluster.ts'

const machines = 40
const perMachine = 10
const toldTopic = 'told-cases'

await prove('delivery-kafka', 1500, async (proof) => {
  await withProofCluster(proof, 'proof-delivery', { secure: true }, async (cluster) => {
    const { bootstrapServers, sasl } = cluster.secureKafka
    const connection = cluster.secureKafka
    const administration = cluster.openKafka()
    const told = topicDefinitions()
      .filter(({ name }) => name === 'cases')
      .map((topic) => ({ ...topic, name: toldTopic }))
    await administration.ensureTopics([...topicDefinitions(), ...told])
    await administration.close()

    const password = join(proof.folder, 'password')
    writeFileSync(password, 'not-the-password\n')
    const { name, notify } = definePlant({
      name: 'proof-plant',
      channels: { vibration: { unit: 'mm/s' } },
      window: tumbling('1 min'),
      features: { vibration: mean('vibration') },
      notify: [
        {
          kind: 'kafka',
          name: 'lake',
          servers: [...bootstrapServers],
          topic: toldTopic,
          ca: authorityPath(cluster.folder),
          user: sasl?.username ?? '',
          passwordFile: password,
          since: 'beginning',
        },
      ],
    })
    const plan = { name, notify }
    const source = await KafkaCases.open(connection)
    const directory = mkdtempSync(join(proof.folder, 'deliveries-'))
    const start = (): Deliveries =>
      startDeliveries({ plan, source, directory, secrets: readSecrets(notify, proof.folder), seed: 1 })

    const written: string[] = []
    const link = new BrokerLink(connection, 'proof')
    const port = producerPortOf(link)
    const [partitionCount = 0] = await link.partitionCounts(['cases'])
    const producers = Array.from({ length: partitionCount }, (_, p) => new PartitionProducer(port, 'cases', p))
    const write = async (fromSequence: number, toSequence: number): Promise<void> => {
      for (let sequence = fromSequence; sequence < toSequence; sequence++)
        await Promise.all(
          Array.from({ length: machines }, (_, machine) => {
            const deviceId = `press-${machine}`
            const record = caseRecord({ deviceId, sequence })
            written.push(`${(JSON.parse(record) as { caseId: string }).caseId}#${sequence}`)
            const producer = producers[partitionOf(deviceId, partitionCount)]
            return producer?.write([{ key: Buffer.from(deviceId), value: Buffer.from(record) }])
          }),
        )
    }
    await write(0, 2)

    let deliveries = start()
    const refused = await eventually('a login that is refused', 60, async () => {
      const [channel] = await deliveries.status()
      return channel !== undefined && channel.failed > 0 ? channel : null
    })
    proof.check(
      refused.parked.length === 0 && refused.delivered === 0 && !JSON.stringify(refused).includes('not-the-password'),
      `a wrong password parks nothing and is not repeated: ${refused.lastError?.text}`,
    )
    await deliveries.close()

    writeFileSync(password, `${sasl?.password ?? ''}\n`)
    const tested = await testChannel({ plan, name: 'lake', secrets: readSecrets(notify, proof.folder) })
    proof.check(tested.id.startsWith('millwright-test@'), `a test is taken: ${tested.target}`)
    deliveries = start()
    await write(2, 5)
    await cluster.kill('broker-2')
    await write(5, perMachine)
    const delivered = async (): Promise<number | null> => {
      const [channel] = await deliveries.status()
      return channel?.state === 'idle' && channel.pending === 0 ? channel.delivered : null
    }
    await eventually('all of it', 180, delivered)
    await deliveries.close()

    const values = await readTopic(connection, toldTopic, {
      committedOnly: true,
      enough: machines * perMachine,
      quietMs: 2000,
      secondsMax: 60,
    })
    const ids = values.map((value) => (JSON.parse(value) as { id: string }).id).filter((id) => id !== tested.id)
    const once = [...new Set(ids)]
    proof.check(
      once.length === written.length && written.every((id) => once.includes(id)),
      `over a killed broker ${once.length} changes, each told; ${ids.length - once.length} twice`,
    )
    const isOrdered = Array.from({ length: machines }, (_, machine) =>
      once.filter((id) => id.startsWith(`press-${machine}@`)),
    ).every((told) => told.every((id, sequence) => id.endsWith(`#${sequence}`)))
    proof.check(isOrdered, 'each machine’s in their order')

    const again = start()
    await eventually('the saved position', 60, async () => {
      const [channel] = await again.status()
      return channel?.state === 'idle' && channel.pending === 0 ? channel : null
    }).then((channel) => proof.check(channel.delivered === 0, 'started again it tells nothing twice'))
    await again.close()
    for (const producer of producers) producer.close()
    await link.close()
    await source.close()
  })
})
