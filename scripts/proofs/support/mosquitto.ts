import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { connect, type MqttClient } from 'mqtt'
import { findPrograms, libraryPathOf } from './debian-package.ts'
import { freePort } from './free-port.ts'
import { eventually } from './proof.ts'

/** A real MQTT broker, of 3.1.1 and 5, that can go away and come back at the same port with what it had. */
export interface Mosquitto {
  readonly port: number
  /** What a subscriber got below a first level of the topic, in order, copies included. */
  messagesBelow(level: string): readonly MqttMessage[]
  /** Ends it as its machine's shutdown would: sessions and messages are kept. */
  goAway(): Promise<void>
  comeBack(): Promise<void>
}

export interface MqttMessage {
  readonly topic: string
  readonly qos: number
  /** The id in the message. */
  readonly id: string
  /** Of MQTT 5; null where there is none. */
  readonly contentType: string | null
  readonly userProperties: Readonly<Record<string, string | string[]>>
}

/** Finds mosquitto; `MILLWRIGHT_MOSQUITTO` may name its folder. @throws {NotPossibleHere} Where there is none. */
export function findMosquitto(): string {
  const libraries = ['libdlt2', 'libwrap0', 'libcjson1', 'libmosquitto1']
  return findPrograms('mosquitto', 'MILLWRIGHT_MOSQUITTO', { broker: 'mosquitto' }, libraries).broker
}

/**
 * Starts mosquitto on a free loopback port, with a subscriber of everything whose session outlives the broker's absences.
 *
 * @param folder For what it keeps.
 * @param settings Further lines of its configuration.
 */
export async function startMosquitto(program: string, folder: string, settings = ''): Promise<Mosquitto> {
  const port = await freePort()
  const messages: MqttMessage[] = []
  const configuration = join(folder, 'mosquitto.conf')
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    configuration,
    `listener ${port} 127.0.0.1
allow_anonymous true
user ${userInfo().username}
persistence true
persistence_location ${folder}/
max_queued_messages 0
log_dest none
${settings}
`,
  )
  let child: ChildProcess | null = null
  let subscriber: MqttClient | null = null
  const broker: Mosquitto = {
    port,
    messagesBelow: (level) => messages.filter(({ topic }) => topic.startsWith(`${level}/`)),
    async goAway() {
      const ended = child === null ? null : once(child, 'exit')
      child?.kill('SIGTERM')
      child = null
      await subscriber?.endAsync(true)
      await ended
    },
    async comeBack() {
      child = spawn(program, ['-c', configuration], {
        stdio: 'ignore',
        env: { ...process.env, LD_LIBRARY_PATH: libraryPathOf(program) },
      })
      subscriber = await eventually('mosquitto', 30, async () => await subscribed(port, messages).catch(() => null))
    },
  }
  await broker.comeBack()
  return broker
}

async function subscribed(port: number, messages: MqttMessage[]): Promise<MqttClient> {
  const client = connect(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: 5,
    clientId: 'subscriber',
    clean: false,
    properties: { sessionExpiryInterval: 3600 },
    reconnectPeriod: 0,
  })
  // Before the connection: what waited for this session comes at once.
  client.on('message', (topic, payload, { qos, properties }) => {
    const { id } = JSON.parse(payload.toString()) as { id: string }
    const { contentType, userProperties } = properties ?? {}
    messages.push({ topic, qos, id, contentType: contentType ?? null, userProperties: { ...userProperties } })
  })
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve())
      client.once('error', reject)
      client.once('close', () => reject(new Error('the connection ended')))
    })
    client.on('error', () => undefined)
    await client.subscribeAsync('#', { qos: 1 })
    return client
  } catch (error) {
    client.end(true)
    throw error
  }
}
