/** Method: a real broker (aedes) on the loopback, with a subscriber's eyes; it drops connections where the test says. For what it cannot say, bytes. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import aedes, { type AedesPublishPacket } from 'aedes'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DeliveryFailedError, DeliveryRefusedError } from './errors.ts'
import { openMqtt, topicLevel } from './mqtt.ts'
import { notificationOf } from './testing/cases.ts'

let broker: ReturnType<typeof aedes.createBroker>
let server: Server
let url = ''
let published: AedesPublishPacket[] = []

beforeEach(async () => {
  published = []
  broker = aedes.createBroker()
  broker.on('publish', (packet, client) => {
    if (client !== null) published.push(packet)
  })
  server = createServer(broker.handle)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  await new Promise<void>((resolve) => broker.close(() => resolve()))
  server.close()
})

const patience = AbortSignal.timeout(60_000)
function port(login: { user: string } | null = null, protocol: '3.1.1' | '5' = '3.1.1') {
  const place = { from: 'environment', name: 'X' } as const
  return openMqtt(
    {
      url,
      topic: 'millwright/{plant}/cases/{device}',
      protocol,
      login: login === null ? null : { ...login, password: place },
    },
    { plant: 'press-shop', password: 'hunter2', ca: null },
  )
}

test('a change is published with quality of service 1 below the name of its machine, and acknowledged', async () => {
  const mqtt = port()
  const batch = ['press-07', 'Halle 2/#1'].map((deviceId) => notificationOf({ deviceId }))
  for (const notification of batch) await mqtt.send([notification], patience)
  await mqtt.close()
  expect(published.map(({ topic, qos }) => [topic, qos])).toEqual([
    ['millwright/press-shop/cases/press-07', 1],
    ['millwright/press-shop/cases/Halle 2%2F%231', 1],
  ])
  const message = JSON.parse(String(published[0]?.payload)) as { id: string; change: string }
  expect(message).toMatchObject({ id: batch[0]?.id, change: 'opened' })
})

test('a connection that ends before the acknowledgement is a failure, and the next attempt makes a new one', async () => {
  const mqtt = port()
  let cuts = 1
  broker.authorizePublish = (client, _packet, told) => {
    if (cuts-- > 0) client?.conn.destroy()
    else told(null)
  }
  await expect(mqtt.send([notificationOf()], patience)).rejects.toBeInstanceOf(DeliveryFailedError)
  await mqtt.send([notificationOf()], patience)
  expect(published).toHaveLength(1)
  await mqtt.close()
})

test('a broker that is away, refuses the login or does not acknowledge is a failure, without the password in it', async () => {
  broker.authenticate = (_client, _user, _password, told) =>
    told(Object.assign(new Error('no'), { returnCode: 4 }), false)
  const refused: unknown = await port({ user: 'plant' })
    .send([notificationOf()], patience)
    .catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(DeliveryFailedError)
  expect(String(refused)).not.toContain('hunter2')

  broker.authenticate = (_client, _user, _password, told) => told(null, true)
  const attempt = new AbortController()
  broker.authorizePublish = () => attempt.abort()
  await expect(port().send([notificationOf()], attempt.signal)).rejects.toThrow('no acknowledgement in time')

  url = 'mqtt://127.0.0.1:1'
  await expect(port().send([notificationOf()], patience)).rejects.toThrow('ECONNREFUSED')
})

test('by MQTT 5 a broker that will never take a message says so by its acknowledgement, or by ending the connection', async () => {
  const answers: readonly [
    reason: string,
    answer: (id: Buffer) => readonly number[],
    error: typeof DeliveryFailedError | typeof DeliveryRefusedError,
  ][] = [
    ['Payload format invalid', ([high = 0, low = 0]) => [0x40, 4, high, low, 0x99, 0], DeliveryRefusedError],
    ['Not authorized', ([high = 0, low = 0]) => [0x40, 4, high, low, 0x87, 0], DeliveryFailedError],
    ['does not have', ([high = 0, low = 0]) => [0x40, 4, high, low, 0x95, 0], DeliveryRefusedError],
    ['Packet too large', () => [0xe0, 2, 0x95, 0], DeliveryRefusedError],
    ['reason 0x8b', () => [0xe0, 2, 0x8b, 0], DeliveryFailedError],
  ]
  for (const [reason, answer, error] of answers) {
    const mqtt = await answeringPort(answer)
    const sent: unknown = await mqtt.send([notificationOf()], patience).catch((thrown: unknown) => thrown)
    expect(sent).toBeInstanceOf(error)
    expect(String(sent)).toContain(reason)
    await mqtt.close()
  }
})

/** A channel to a broker that answers each message with these bytes, and closes after a DISCONNECT. */
async function answeringPort(answer: (packetId: Buffer) => readonly number[]) {
  server.close()
  server = createServer((socket: Socket) => {
    let received = Buffer.alloc(0)
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes])
      if (received.length < 2) return
      const type = (received[0] ?? 0) >> 4
      const packetId = type === 3 ? packetIdOf(received) : null
      if (type === 1) socket.write(Buffer.from([0x20, 3, 0, 0, 0]))
      if (packetId !== null) socket.write(Buffer.from(answer(packetId)))
      if (packetId !== null && answer(packetId)[0] === 0xe0) socket.end()
      if (type === 1 || packetId !== null) received = Buffer.alloc(0)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`
  return port(null, '5')
}

/** Behind the length, whose last byte is below 128, and the topic; `null` before it has come. Source: MQTT 5.0, 3.3. */
function packetIdOf(publish: Buffer): Buffer | null {
  const topicAt = publish.findIndex((byte, at) => at > 0 && byte < 0x80) + 1
  if (topicAt === 0 || publish.length < topicAt + 2) return null
  const idAt = topicAt + 2 + publish.readUInt16BE(topicAt)
  return publish.length < idAt + 2 ? null : publish.subarray(idAt, idAt + 2)
}

test('topicLevel() leaves names whole and makes what MQTT reads otherwise into %XX', () => {
  expect(topicLevel('press-07')).toBe('press-07')
  expect(topicLevel('a/b+c#d%')).toBe('a%2Fb%2Bc%23d%25')
})
