/**
 * Proof: changes of cases reach a webhook, a mail server, a real MQTT broker (mosquitto, by MQTT 3.1.1 and 5) and a real Alertmanager, through
 * a plant as a user runs it: at least once, in order, with the same id, whatever the peers do (down, restarted, 500, 429, cut off, never an
 * answer), while the disk is full for what is saved of a channel, and over `kill -9`. A peer that is down holds up nobody. History that is read in pages
 * nobody. What a peer refuses is kept and sent when asked. No secret is shown.
 *
 *   node scripts/proofs/delivery.ts
 */

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { millwright } from '../../bench/peers.ts'
import type { PlantProcess } from '../../bench/plant-process.ts'
import { openTopicReader } from '../../packages/engine/src/index.ts'
import type { DeliveryStatus } from '../../packages/gateways/src/index.ts'
import { findAlertmanager, startAlertmanager } from './support/alertmanager.ts'
import { findMosquitto, type Mosquitto, startMosquitto } from './support/mosquitto.ts'
import { type Receiver, startMailServer, startReceiver } from './support/notified-peers.ts'
import { proofPackage } from './support/packages.ts'
import { eventually, type Proof, prove } from './support/proof.ts'
import { startProofPlant, windowMs, writeProofProject } from './support/proof-plant.ts'
import { deviceName } from './support/readings.ts'
import { ShakingFleet } from './support/shaking-fleet.ts'

const secret = 'not-to-be-seen-anywhere'
const historyMs = 300 * 86_400_000
/** A watcher takes what is in a snapshot, every ten seconds; on a busy machine that is much later. */
const patienceS = 150
const refusedDevice = deviceName(300)

await prove('delivery', 900, async (proof) => {
  const tools = findAlertmanager()
  const mosquitto = findMosquitto()
  const [tickets, stuck, shift, broker, narrow] = [
    await startReceiver(secret),
    await startReceiver(secret),
    await startMailServer(),
    await startMosquitto(mosquitto, join(proof.folder, 'mosquitto')),
    await startMosquitto(mosquitto, join(proof.folder, 'mosquitto-narrow'), 'message_size_limit 100'),
  ]
  for (const one of [broker, narrow]) proof.onEnd(() => void one.goAway())
  const [andon, andonFive] = [takenBelow(broker, 'three'), takenBelow(broker, 'five')]
  stuck.otherwise = () => 'never'
  const settings = join(proof.folder, 'alertmanager.yml')
  writeFileSync(settings, 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n')
  const oncall = await startAlertmanager(tools, settings, join(proof.folder, 'alertmanager'))
  proof.onEnd(() => void oncall.stop())
  const project = writeProofProject(
    join(proof.folder, 'project'),
    proofPackage('first', false),
    '[]',
    `notify: [
    { kind: 'webhook', name: 'tickets', url: 'http://127.0.0.1:${tickets.port}/token-in-the-path', secretFile: 'secret' },
    { kind: 'webhook', name: 'stuck', url: 'http://127.0.0.1:${stuck.port}/', secretFile: 'secret' },
    { kind: 'email', name: 'shift', host: '127.0.0.1', port: ${shift.port}, security: 'none', from: 'plant@example.org', to: ['shift@example.org'], atMostEvery: '2 s' },
    { kind: 'mqtt', name: 'andon', url: 'mqtt://127.0.0.1:${broker.port}', topic: 'three/{plant}/{device}' },
    { kind: 'mqtt', name: 'andon-five', url: 'mqtt://127.0.0.1:${broker.port}', topic: 'five/{plant}/{device}', protocol: '5' },
    { kind: 'mqtt', name: 'narrow', url: 'mqtt://127.0.0.1:${narrow.port}', protocol: '5' },
    { kind: 'alertmanager', name: 'oncall', urls: ['${oncall.url}'], repeatEvery: '2 s' },
  ],`,
  )
  writeFileSync(join(project, 'secret'), `${secret}\n`)
  const data = join(proof.folder, 'data')
  const fleet = new ShakingFleet(Math.floor(Date.now() / windowMs) * windowMs)
  const start = async (): Promise<PlantProcess> => await startProofPlant(proof, project, data)
  const kill = async (plant: PlantProcess): Promise<void> => {
    const ended = new Promise((resolve) => plant.process.once('exit', resolve))
    plant.process.kill('SIGKILL')
    await ended
  }

  let plant = await start()
  await fleet.shake(plant.url, 0, 20)
  for (const [name, peer] of Object.entries({ tickets, shift, andon, andonFive }))
    await eventually(`${name}, twenty machines`, patienceS, async () => (new Set(peer.taken).size === 20 ? true : null))
  const standing = async (): Promise<Set<string>> =>
    new Set((await oncall.alerts()).map(({ labels }) => labels['device'] ?? ''))
  await eventually('twenty alerts', patienceS, async () => ((await standing()).size === 20 ? true : null))
  proof.check(
    true,
    'twenty machines at risk: twenty changes by webhook, mail, MQTT 3.1.1 and MQTT 5, twenty alerts at a real Alertmanager',
  )
  proof.check(shift.mails.length <= 4, `the twenty are ${shift.mails.length} mails`)

  checkMessages(proof, broker)

  await broker.goAway()
  await shift.goAway()
  tickets.answers.push('error', 'busy', 'cut', 'cut-in-the-answer')
  tickets.slownessMs = 50
  const mailsBefore = shift.mails.length
  await fleet.shake(plant.url, 20, 100)
  await eventually('a part of the hundred', patienceS, async () => (tickets.taken.length >= 50 ? true : null))
  // An attempt is `sending` while it lasts: not all three wait at every moment.
  const awayNames = ['andon', 'andon-five', 'shift']
  const during = await eventually('all hundred wait for who is away', patienceS, async () => {
    const now = await statuses(plant.url)
    const isWaiting = awayNames.every((name) => now[name]?.state === 'waiting' && now[name].pending >= 80)
    return isWaiting && (now['stuck']?.pending ?? 0) >= 100 ? now : null
  })
  proof.check(
    during['stuck']?.delivered === 0,
    `beside them one that never answers has ${during['stuck']?.pending} pending, and none delivered`,
  )
  proof.check(
    awayNames.every((name) => (during[name]?.lastError ?? null) !== null),
    `broker and mail server are away: ${awayNames.map((name) => during[name]?.pending).join(', ')} wait, and are said to`,
  )
  const postedMs = performance.now()
  await fleet.shake(plant.url, 100, 101)
  proof.check(performance.now() - postedMs < 2000, 'the plant takes readings meanwhile as ever')
  const takenBefore = tickets.taken.length
  await kill(plant)
  proof.say(`killed when the webhook had ${takenBefore} of 101`)
  tickets.slownessMs = 0
  await broker.comeBack()
  await shift.comeBack()
  plant = await start()
  for (const [name, peer] of Object.entries({ tickets, shift, andon, andonFive }))
    await eventually(`${name}, all 101`, patienceS, async () => (new Set(peer.taken).size === 101 ? true : null))
  await eventually('101 alerts', patienceS, async () => ((await standing()).size === 101 ? true : null))
  proof.check(true, 'after kill -9, and when they are back, every channel has all 101')
  const copies = tickets.taken.length - 101
  proof.check(copies <= 40, `of the webhook's ${copies} came twice, those of the second before the kill`)
  proof.check(shift.mails.length - mailsBefore <= 6, `the storm of 81 is ${shift.mails.length - mailsBefore} mails`)

  await savedOnFullDisk(proof, { plant, data, tickets, fleet, kill, standing: 101 })
  plant = await start()
  await eventually('the eleven again', patienceS, async () => ((await isIdle(plant.url, 'tickets')) ? true : null))
  const onFullDisk = tickets.taken.filter((id) => /^press-01(?:0[1-9]|10)@/.test(id))
  proof.check(
    new Set(onFullDisk).size === 10 && onFullDisk.length >= 20,
    'what was delivered while its position could not be saved comes again after kill -9, with the same ids',
  )

  tickets.otherwise = (id) => (id.startsWith(refusedDevice) ? 'refuse' : 'take')
  await fleet.shake(plant.url, 200, 220, historyMs)
  await fleet.shake(plant.url, 300, 302)
  await fleet.calm(plant.url, 0, 20)
  await eventually('the parked one', patienceS, async () =>
    (await statuses(plant.url))['tickets']?.parked.length === 1 ? true : null,
  )
  await eventually('the twenty calm ones and two new ones', patienceS, async () => {
    const names = await standing()
    return names.size === 111 + 2 - 20 && names.has(deviceName(300)) && names.has(deviceName(301)) ? true : null
  })
  // A mail gathers changes before it leaves; what a broker took its subscriber gets later.
  const changeCount = 111 + 2 + 20
  for (const [name, peer, wanted] of [
    ['tickets', tickets, changeCount - 1],
    ['shift', shift, changeCount],
    ['andon', andon, changeCount],
    ['andon-five', andonFive, changeCount],
  ] as const)
    await eventually(`${name}, all ${wanted}, and history behind it`, patienceS, async () => {
      const channel = (await statuses(plant.url))[name]
      const isDone = channel?.state === 'idle' && channel.pending === 0 && channel.skipped >= 20
      return isDone && new Set(peer.taken).size === wanted ? true : null
    })
  proof.check(
    ![...(await standing())].some((device) => device < deviceName(20)),
    'an alert ends at the Alertmanager when its machine is calm again',
  )
  const after = await statuses(plant.url)
  const historic = [...tickets.taken, ...shift.taken, ...andon.taken, ...andonFive.taken].filter((id) =>
    /^press-02[01]\d@/.test(id),
  )
  proof.check(
    historic.length === 0,
    `twenty cases of last year, read in today, page nobody: each channel has skipped ${after['tickets']?.skipped}`,
  )
  proof.check(
    after['tickets']?.parked[0]?.id.startsWith(refusedDevice) === true &&
      after['tickets'].parked[0].reason.includes('422'),
    'what the webhook refused is parked with the reason, and others went on',
  )
  // Each refusal ends its connection: this channel is behind the others.
  await eventually('the broker that takes nothing has said so of all', patienceS, async () =>
    (await isIdle(plant.url, 'narrow')) ? true : null,
  )
  const { parked = [], delivered } = (await statuses(plant.url))['narrow'] ?? {}
  proof.check(
    delivered === 0 && parked.length >= 100 && parked.every(({ reason }) => reason.includes('refused')),
    `a broker that takes nothing so large says so by MQTT 5, and ${parked.length} changes are parked, ${parked[0]?.reason}`,
  )
  tickets.otherwise = () => 'take'
  const said = command('deliveries', 'retry', 'tickets', project, '--data', data)
  await eventually('the parked one taken', patienceS, async () =>
    tickets.taken.some((id) => id.startsWith(refusedDevice)) ? true : null,
  )
  proof.check(said.includes('1 parked'), 'when asked, it is sent again, and taken')

  const shown = `${said}${command('deliveries', 'list', project, '--data', data)}${JSON.stringify(await statuses(plant.url))}${await (await fetch(`${plant.url}/metrics`)).text()}`
  const seconds = await plant.stop()
  proof.check(seconds < 5, `SIGTERM ends it after ${seconds.toFixed(2)} s, though one peer never answers`)
  const saved = readdirSync(join(data, 'deliveries')).map((name) =>
    readFileSync(join(data, 'deliveries', name), 'utf8'),
  )
  proof.check(
    ![shown, ...saved].some((text) => text.includes(secret) || text.includes('token-in-the-path')),
    'neither secret nor path is in what is shown or saved, though a peer answered with the secret',
  )
  audit(proof, data, tickets, { shift: shift.taken, andon: andon.taken, 'andon-five': andonFive.taken })
  for (const peer of [tickets, stuck, shift, broker, narrow]) await peer.goAway()
  await oncall.stop()
})

/** Ids of the changes that a broker's subscriber got below a level. */
function takenBelow(broker: Mosquitto, level: string): { readonly taken: readonly string[] } {
  return {
    get taken() {
      return broker.messagesBelow(level).map(({ id }) => id)
    },
  }
}

/** What MQTT 5 says beside the message, and 3.1.1 cannot. */
function checkMessages(proof: Proof, broker: Mosquitto): void {
  const [three, five] = [broker.messagesBelow('three'), broker.messagesBelow('five')]
  proof.check(
    [...three, ...five].every(({ qos }) => qos === 1),
    'each came with quality of service 1',
  )
  proof.check(
    five.every(({ id, contentType, userProperties }) => {
      return contentType === 'application/json' && userProperties['id'] === id
    }) && three.every(({ contentType }) => contentType === null),
    'those by MQTT 5 name their type, and their id beside the message; those by 3.1.1 do not',
  )
}

/** The system's own full device in the place of the file that a position is first written to. */
async function savedOnFullDisk(
  proof: Proof,
  use: {
    readonly plant: PlantProcess
    readonly data: string
    readonly tickets: Receiver
    readonly fleet: ShakingFleet
    readonly kill: (plant: PlantProcess) => Promise<void>
    readonly standing: number
  },
): Promise<void> {
  const { plant, data, tickets, fleet, kill, standing } = use
  await eventually('all is saved', patienceS, async () => ((await isIdle(plant.url, 'tickets')) ? true : null))
  const temporary = join(data, 'deliveries', 'tickets.state.tmp')
  rmSync(temporary, { force: true })
  symlinkSync('/dev/full', temporary)
  await fleet.shake(plant.url, 101, 111)
  await eventually('ten more', patienceS, async () => (new Set(tickets.taken).size === standing + 10 ? true : null))
  const error = await eventually(
    'it is said',
    20,
    async () => (await statuses(plant.url))['tickets']?.saveError ?? null,
  )
  proof.check(
    error.includes('ENOSPC'),
    `on a full disk deliveries go on, and it is said that their position is not saved: ${error}`,
  )
  await kill(plant)
  rmSync(temporary)
}

async function statuses(url: string): Promise<Readonly<Record<string, DeliveryStatus>>> {
  const { channels } = (await (await fetch(`${url}/api/deliveries`)).json()) as { channels: readonly DeliveryStatus[] }
  return Object.fromEntries(channels.map((channel) => [channel.name, channel]))
}

async function isIdle(url: string, name: string): Promise<boolean> {
  const channel = (await statuses(url))[name]
  return channel?.state === 'idle' && channel.pending === 0
}

/** Runs a command to its end. @returns What it said. */
function command(...args: readonly string[]): string {
  const [program = '', ...before] = millwright
  const { stdout, stderr } = spawnSync(program, [...before, ...args], { encoding: 'utf8' })
  return `${stdout}${stderr}`
}

/** What every channel took, against the topic. */
function audit(
  proof: Proof,
  data: string,
  tickets: Receiver,
  others: Readonly<Record<string, readonly string[]>>,
): void {
  const reader = openTopicReader({ directory: data, topic: 'cases' })
  const topic: string[] = []
  for (const { value } of reader) {
    const { caseId, sequence, openedAt } = JSON.parse(Buffer.from(value).toString()) as {
      caseId: string
      sequence: number
      openedAt: number
    }
    if (openedAt - Number(caseId.split('@').at(-1)) < historyMs / 2) topic.push(`${caseId}#${sequence}`)
  }
  reader.close()
  for (const [name, taken] of Object.entries({ tickets: tickets.taken, ...others })) {
    const told = [...new Set(taken)]
    proof.check(
      told.length === topic.length && topic.every((id) => told.includes(id)),
      `${name}: the ${topic.length} changes that the topic has, and no other`,
    )
    const isInOrder = told.every((id, at) => !told.slice(0, at).includes(id.replace(/#0$/, '#1')))
    proof.check(isInOrder, `${name}: each machine's in their order`)
  }
  proof.check(tickets.changedCopies.length === 0, 'a copy is byte for byte what came first')
  proof.check(tickets.badRequests === 0, 'every request was signed, each attempt by itself, and named its id')
}
