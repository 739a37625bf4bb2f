/**
 * Proof: `millwright run --kafka` hands on every line that it acknowledged, once and in its device's order, over killed and restarted
 * brokers; tells of committed alerts only, each once; `millwright ingest --kafka` reads no line twice whenever it is killed; and a login
 * that is refused is said without its secret.
 *
 *   node scripts/proofs/kafka-gateway.ts [--keep 1]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { partitionOf } from '@millwright/core'
import { Admin } from '@platformatic/kafka'
import { pressPackage, writeProject } from '../../packages/cli/src/commands/command-testing.ts'
import { authorityPath } from '../../packages/cluster/src/development/certificates.ts'
import {
  type BrokerRole,
  clusterMissing,
  DevelopmentCluster,
  defaultCacheFolder,
  streamProgress,
} from '../../packages/cluster/src/development/index.ts'
import { takeDown } from '../../packages/cluster/src/development/take-down.ts'
import { topicDefinitions } from '../../packages/cluster/src/index.ts'
import {
  BrokerLink,
  clientOptions,
  type KafkaConnection,
  type KafkaRecord,
  KafkaTakenOverError,
  TopicReader,
} from '../../packages/gateways/src/kafka/index.ts'
import { TransactionWriter } from '../../packages/gateways/src/kafka/transaction-writer.ts'
import { readTopic } from './support/cluster-records.ts'
import { eventually, NotPossibleHere, numberArgument, type Proof, pause, prove, seededChance } from './support/proof.ts'

const name = 'proof-gateway'
const main = join(import.meta.dirname, '../../packages/cli/bin/millwright.js')
const brokers: readonly BrokerRole[] = ['broker-1', 'broker-2', 'broker-3']
const startMs = 1_767_571_200_000
const lineDevices = Array.from({ length: 40 }, (_, i) => `press-${i}`)

await prove('kafka-gateway', 1200, async (proof) => {
  const missing = clusterMissing()
  if (missing !== null) throw new NotPossibleHere(missing)
  const progress = streamProgress()
  await takeDown({ cacheFolder: defaultCacheFolder(), name, progress, keepData: false })
  const cluster = await DevelopmentCluster.open({ name, progress, switches: { secure: true, highAvailability: false } })
  const administration = cluster.openKafka()
  await administration.ensureTopics(topicDefinitions())
  await administration.close()
  const lines = `lines: { 'line-1': ${JSON.stringify(lineDevices)} },`
  const project = writeProject(join(proof.folder, 'project'), lines)

  await proveLogin(proof, cluster, project)
  await proveDelivery(proof, cluster, project)
  await proveIngest(proof, cluster, project)
  await proveLines(proof, cluster, project)
  await proveModels(proof, cluster, project)
  await proveAlerts(proof, cluster, project)
  await proveOutage(proof, cluster, project)

  if (numberArgument('keep', 0) === 0) await cluster.down()
})

/** SASL/SCRAM by TLS, from files alone, and what is said where it is refused. */
async function proveLogin(proof: Proof, cluster: DevelopmentCluster, project: string): Promise<void> {
  const { bootstrapServers, sasl } = cluster.secureKafka
  const secret = sasl?.password ?? ''
  const passwordFile = join(proof.folder, 'password')
  const wrongFile = join(proof.folder, 'wrong')
  writeFileSync(passwordFile, `${secret}\n`, { mode: 0o600 })
  writeFileSync(wrongFile, 'not-the-password\n', { mode: 0o600 })
  const secure = [
    '--kafka',
    bootstrapServers.join(','),
    '--kafka-ca',
    authorityPath(cluster.folder),
    '--kafka-user',
    sasl?.username ?? '',
  ]
  const listed = await command('topics', 'list', '--json', ...secure, '--kafka-password-file', passwordFile)
  proof.check(
    listed.code === 0 && listed.stdout.includes('"alert-signals"'),
    'topics are listed by SASL/SCRAM and TLS, the password from a file',
  )
  const refused = await command('topics', 'list', ...secure, '--kafka-password-file', wrongFile)
  proof.check(
    refused.code === 1 && !refused.stderr.includes('not-the-password'),
    `a wrong password is refused and not repeated: ${firstLine(refused.stderr)}`,
  )
  const clear = await command('topics', 'list', '--kafka', bootstrapServers.join(','))
  proof.check(clear.code === 1, `in the clear it is refused: ${firstLine(clear.stderr)}`)
  const nobody = await command('run', project, '--port', '0', '--kafka', '127.0.0.1:9')
  proof.check(nobody.code === 1, `where there is no Kafka it is said: ${firstLine(nobody.stderr)}`)
}

/** Lines over HTTP while brokers are killed and started again. */
async function proveDelivery(proof: Proof, cluster: DevelopmentCluster, project: string): Promise<void> {
  const plant = await startGateway(cluster.kafka, project)
  const reader = await TopicReader.open(cluster.kafka, 'sensor-data')
  const followers = new AbortController()
  const followed = Array.from({ length: reader.partitionCount }, (): KafkaRecord[] => [])
  const following = followed.map((into, partition) => follow(reader, partition, followers.signal, into))
  const loads = Array.from({ length: 4 }, (_, index) => postForever(plant.url, index))
  await pause(2_000)
  for (const role of brokers) {
    await cluster.kill(role)
    // Others come and go in the meantime: there is no group that they could disturb.
    const passing = new AbortController()
    const guest = follow(reader, 0, passing.signal, [])
    await pause(8_000)
    passing.abort()
    await guest
    await cluster.start(role)
    await allInSync(cluster.kafka, ['sensor-data', 'alert-signals', '__transaction_state'])
    await pause(1_000)
  }
  const results = await Promise.all(loads.map((load) => load.stop()))
  const calls = results.reduce((sum, { callCount }) => sum + callCount, 0)
  const failed = results.flatMap(({ failures }) => failures)
  const acknowledged = results.flatMap((result) => result.acknowledged)
  const longestMs = Math.max(...results.map((result) => result.longestMs))
  proof.say(
    `${calls} calls, ${acknowledged.length} lines acknowledged, ${failed.length} calls failed, the longest took ${Math.round(longestMs)} ms`,
  )
  const records = await readAll(reader)
  const values = records.map(({ value }) => Buffer.from(value).toString())
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  proof.check(
    acknowledged.length > 1000 && acknowledged.every((line) => counts.has(line)),
    `each of ${acknowledged.length} acknowledged lines is on Kafka after three killed brokers`,
  )
  proof.check(failed.length === 0, `no call was refused meanwhile${failed.length === 0 ? '' : `: ${failed[0]}`}`)
  proof.check(
    [...counts.values()].every((count) => count === 1) && counts.size === acknowledged.length,
    'and each once, with nothing else beside it',
  )
  proof.check(inDeviceOrder(values), 'each device’s lines are in the order in which they were sent')
  proof.check(
    records.every(({ key, value }) => key === deviceOf(value)),
    'the key of each is its device',
  )
  await eventually('the follower has all', 60, async () => (followed.flat().length >= records.length ? true : null))
  followers.abort()
  await Promise.all(following)
  const same = followed.flat().map(placeOf).join() === records.map(placeOf).join()
  proof.check(
    same,
    'a reader that followed all along saw each offset once and in order, the same as one that reads afterwards',
  )
  const status = (await (await fetch(`${plant.url}/api/status`)).json()) as {
    counts: { readingsIn: number }
    lag: unknown
    topics: unknown[]
  }
  proof.check(
    status.counts.readingsIn === acknowledged.length && status.lag === null && status.topics.length > 0,
    `the status counts what went to Kafka (${status.counts.readingsIn}), shows ${status.topics.length} topics, and does not claim to know the lag`,
  )
  await reader.close()
  await plant.stop()
}

/** A file, with the reading of it killed again and again. */
async function proveIngest(proof: Proof, cluster: DevelopmentCluster, project: string): Promise<void> {
  const lineCount = 400_000
  const folder = join(proof.folder, 'files')
  mkdirSync(folder)
  const file = join(folder, 'history.ndjson')
  const lines = Array.from({ length: lineCount }, (_, i) =>
    i % 1000 === 999
      ? `broken ${i}`
      : `{"deviceId":"file-${i % 97}","timestamp":${startMs + i},"temperature":20,"vibration":1,"n":${i}}`,
  )
  writeFileSync(file, `${lines.join('\n')}\n`)
  const flags = ['ingest', project, '--input', file, '--kafka', cluster.bootstrapServers.join(','), '--json']
  const chance = seededChance(11)
  let kills = 0
  let result = ''
  while (result === '') {
    const child = spawn(process.execPath, [main, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
    const text = textOf(child.stdout)
    const ended = once(child, 'exit')
    if (kills < 8) {
      const before = await endOf(cluster.kafka)
      // Killed while it writes: after something has come, and a moment of its own later.
      await Promise.race([
        ended,
        eventually('something is written', 60, async () => ((await endOf(cluster.kafka)) > before ? true : null)),
      ])
      await pause(chance() * 400)
      if (child.kill('SIGKILL')) kills += 1
    }
    const [code] = await ended
    if (code === 0) result = await text
    else if (code !== null) throw new Error(`ingest ended with ${code}`)
  }
  proof.say(`killed ${kills} times; the last run: ${result.trim()}`)
  const reader = await TopicReader.open(cluster.kafka, 'sensor-data')
  const records = (await readAll(reader)).map(({ value }) => Buffer.from(value).toString())
  await reader.close()
  const found = records.filter((value) => value.includes('"file-') || value.startsWith('broken'))
  proof.check(
    kills >= 5 && found.length === lineCount && new Set(found).size === lineCount,
    `each of ${lineCount} lines is there once after ${kills} kill -9`,
  )
  const inOrder = found
    .filter((value) => value.startsWith('{'))
    .map((value) => JSON.parse(value) as { deviceId: string; n: number })
  const last = new Map<string, number>()
  proof.check(
    inOrder.every(({ deviceId, n }) => {
      const before = last.get(deviceId) ?? -1
      last.set(deviceId, n)
      return n > before
    }),
    'each device’s lines in the order of the file',
  )
  proof.check(
    found.filter((value) => value.startsWith('broken')).length === lineCount / 1000,
    'refused lines among them, for the operators to make dead letters of',
  )
  const uncommitted = await readTopic(cluster.kafka, 'sensor-data', {
    committedOnly: false,
    enough: records.length + 1,
    quietMs: 2_000,
    secondsMax: 60,
  })
  proof.check(
    uncommitted.length > records.length,
    `${uncommitted.length - records.length} lines of transactions that were cut off are hidden from readers of committed records`,
  )
  const again = await command(...flags)
  proof.check(
    again.code === 0 && again.stdout.includes('"accepted":0,"refused":0'),
    'reading the file again adds nothing',
  )
}

/** An event of a line, and the commands that ask a gateway. */
async function proveLines(proof: Proof, cluster: DevelopmentCluster, project: string): Promise<void> {
  const event = ['events', 'send', 'line-stop', '--line', 'line-1', '--at', new Date(startMs).toISOString(), '--json']
  const onKafka = await command(...event, project, '--kafka', cluster.bootstrapServers.join(','))
  const plant = await startGateway(cluster.kafka, project)
  const overHttp = await command(...event, '--gateway', plant.url)
  proof.check(
    onKafka.code === 0 && overHttp.code === 0 && onKafka.stdout === overHttp.stdout,
    `an event of a line is taken by --kafka and by --gateway: ${firstLine(onKafka.stdout)}${firstLine(onKafka.stderr)}${firstLine(overHttp.stderr)}`,
  )
  const reader = await TopicReader.open(cluster.kafka, 'device-events')
  const records = (await readAll(reader)).filter(({ value }) => value.length > 0)
  const { partitionCount } = reader
  await reader.close()
  const copies = new Map<string, string[]>()
  for (const { key, value } of records)
    copies.set(key ?? '', [...(copies.get(key ?? '') ?? []), Buffer.from(value).toString()])
  proof.check(
    [...copies.keys()].sort().join() === [...lineDevices].sort().join() &&
      [...copies.values()].every(([first, second, ...more]) => first === second && more.length === 0),
    'each machine has it once from each, byte for byte the same',
  )
  proof.check(
    records.every(({ key, partition }) => partition === partitionOf(key ?? '', partitionCount)),
    'under its own key, in the partition of its readings',
  )
  const cases = await eventually('cases are known', 60, async () => {
    const { code, stdout } = await command('cases', 'list', '--gateway', plant.url, '--json')
    return code === 0 ? stdout : null
  })
  proof.check(cases.includes('"counts"'), `cases are listed by --gateway: ${firstLine(cases)}`)
  await plant.stop()
}

/** Models over the command line, and over HTTP. */
async function proveModels(proof: Proof, cluster: DevelopmentCluster, project: string): Promise<void> {
  const kafka = ['--kafka', cluster.bootstrapServers.join(',')]
  const packageOf = (file: string, version: string, riskyFrom: number): string => {
    const path = join(proof.folder, file)
    writeFileSync(path, pressPackage(version, riskyFrom))
    return path
  }
  const first = packageOf('first.mwmodel', '1', 2)
  const beganMs = Date.now()
  const published = await command('models', 'publish', project, first, ...kafka, '--json')
  const update = JSON.parse(published.stdout || '{}') as { activeFrom?: number }
  proof.check((update.activeFrom ?? 0) >= beganMs + 1000, 'a model is published a second ahead')
  const plant = await startGateway(cluster.kafka, project)
  const answer = await fetch(`${plant.url}/api/models`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: pressPackage('2', 3),
  })
  proof.check(answer.status === 201, 'another over HTTP')
  const taken = await command('models', 'publish', project, packageOf('taken.mwmodel', '2', 4), ...kafka)
  proof.check(taken.code === 1, `another package under its name and version is refused: ${firstLine(taken.stderr)}`)
  const rolledBack = await command('models', 'rollback', project, ...kafka)
  await pause(1_500)
  const listed = await command('models', 'list', project, ...kafka, '--json')
  const states = (JSON.parse(listed.stdout) as { version: string; state: string }[]).map(
    ({ version, state }) => `${version} ${state}`,
  )
  proof.check(
    rolledBack.code === 0 && states.join() === '1 in-force,2 superseded,1 superseded',
    `after a rollback the first is in force again: ${states.join(', ')}`,
  )
  const status = await eventually('the status names the model', 30, async () => {
    const { model } = (await (await fetch(`${plant.url}/api/status`)).json()) as { model: { version: string } | null }
    return model?.version === '1' ? model : null
  })
  const exported = await command('topics', 'export', 'model-updates', ...kafka)
  const kinds = exported.stdout
    .trim()
    .split('\n')
    .map((line) => ('packagePart' in JSON.parse(line) ? 'part' : 'activation'))
  proof.check(
    status.version === '1' && kinds.join() === 'part,activation,part,activation,activation',
    `the topic has parts before their activations: ${kinds.join(', ')}; what was refused is not on it`,
  )
  await plant.stop()
}

/** Alerts as an operator with transactions writes them, seen by a client of the stream. */
async function proveAlerts(proof: Proof, cluster: DevelopmentCluster, project: string): Promise<void> {
  const plant = await startGateway(cluster.kafka, project)
  const link = new BrokerLink(cluster.kafka, 'proof')
  const alerts = (from: number, count: number) =>
    [0, 1, 2].map((partition) => ({
      topic: 'alert-signals',
      partition,
      records: Array.from({ length: count }, (_, i) => ({
        key: Buffer.from('d'),
        value: Buffer.from(alertLine(partition, from + i)),
      })),
    }))
  const seen: string[] = []
  const stop = new AbortController()
  const live = stream(`${plant.url}/api/events`, null, stop.signal, (_, line) => void seen.push(line))
  await live.opened
  const writer = await TransactionWriter.open(link, 'proof-operator')
  await writer.commit(alerts(0, 50))
  // Left open, and taken back by its successor.
  const orphan = await TransactionWriter.open(link, 'proof-orphan')
  await orphan.write(alerts(1000, 20))
  await cluster.kill('broker-2')
  await writer.commit(alerts(50, 50))
  await TransactionWriter.open(link, 'proof-orphan')
  const outcome = await orphan.commit(alerts(2000, 1)).catch((error: unknown) => error)
  proof.check(
    outcome instanceof KafkaTakenOverError,
    `a writer whose place was taken is shut out: ${outcome instanceof Error ? outcome.message : 'it was not'}`,
  )
  await cluster.start('broker-2')
  await allInSync(cluster.kafka, ['alert-signals', '__transaction_state'])
  await writer.commit(alerts(100, 50))
  await eventually('all alerts are told', 60, async () => (seen.length >= 450 ? true : null))
  const wanted = [0, 1, 2].flatMap((partition) => Array.from({ length: 150 }, (_, n) => alertLine(partition, n)))
  proof.check(
    new Set(seen).size === seen.length && wanted.every((line) => seen.includes(line)) && seen.length === wanted.length,
    `the stream told each of ${wanted.length} committed alerts once, and none of the 60 that were taken back`,
  )
  const place = live.placeAfter(200)
  const resumed: string[] = []
  const second = stream(`${plant.url}/api/events`, place, stop.signal, (_, line) => void resumed.push(line))
  await second.opened
  await eventually('the rest is told', 60, async () => (resumed.length >= 250 ? true : null))
  proof.check(
    [...seen.slice(0, 200), ...resumed].sort().join() === [...wanted].sort().join(),
    'a client that comes back with its place gets the rest, each once',
  )
  stop.abort()
  await link.close()
  await plant.stop()
}

/** All brokers away, and back. */
async function proveOutage(proof: Proof, cluster: DevelopmentCluster, project: string): Promise<void> {
  const plant = await startGateway(cluster.kafka, project)
  for (const role of brokers) await cluster.kill(role)
  const line = `{"deviceId":"outage","timestamp":${startMs},"temperature":1,"vibration":1}\n`
  const beganMs = performance.now()
  const answer = await post(plant.url, line)
  const problem = (await answer.json()) as { detail: string }
  proof.check(
    answer.status === 503 && answer.headers.has('retry-after'),
    `with Kafka away a reading is refused after ${Math.round((performance.now() - beganMs) / 1000)} s, to be sent again: ${problem.detail}`,
  )
  proof.check((await fetch(`${plant.url}/readyz`)).status === 503, 'and the gateway says that it is not ready')
  await cluster.start(...brokers)
  const taken = await eventually('readings are taken again', 180, async () =>
    (await post(plant.url, line)).status === 202 ? true : null,
  )
  proof.check(taken, 'when Kafka is back readings are taken again, with no restart')
  await eventually('the gateway is ready', 60, async () =>
    (await fetch(`${plant.url}/readyz`)).status === 200 ? true : null,
  )
  const reader = await TopicReader.open(cluster.kafka, 'sensor-data')
  const [from = 0] = await reader.offsets('end')
  await post(plant.url, `{"deviceId":"${'x'.repeat(3_000_000)}"}\n`)
  const sizes: number[] = []
  for await (const { value } of reader.read({ partition: 0, from })) sizes.push(value.length)
  await reader.close()
  proof.check(
    sizes.join() === '1048577',
    `a line of 3 MB is handed on cut, as a dead letter to be: ${sizes.join()} bytes`,
  )
  const ended = await plant.stop()
  proof.check(ended === 0, 'and it stops cleanly')
}

interface Gateway {
  readonly url: string
  /** Ends it with SIGTERM; resolves to its exit code. */
  stop(): Promise<number | null>
}

async function startGateway(kafka: KafkaConnection, project: string): Promise<Gateway> {
  const flags = ['run', project, '--port', '0', '--kafka', kafka.bootstrapServers.join(',')]
  const child: ChildProcess = spawn(process.execPath, [main, ...flags], { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'exit')
  let said = ''
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr?.on('data', (text: Buffer) => {
      said += text
      const found = /takes readings at (\S+)\/api\/readings/.exec(said)?.[1]
      if (found !== undefined && said.includes('Waiting for readings')) resolve(found)
    })
    exited.then(([code]) => reject(new Error(`the gateway ended with ${code}: ${said}`)), reject)
  })
  return {
    url,
    async stop() {
      child.kill('SIGTERM')
      const [code] = await exited
      return code as number | null
    },
  }
}

/** Posts lines of devices of its own, call after call, and never one twice. */
function postForever(url: string, index: number) {
  const acknowledged: string[] = []
  const failures: string[] = []
  let callCount = 0
  let longestMs = 0
  let stopping = false
  const work = (async () => {
    for (let n = 0; !stopping; n += 40) {
      const lines = Array.from(
        { length: 40 },
        (_, i) =>
          `{"deviceId":"load-${index}-${(n + i) % 8}","timestamp":${startMs + n + i},"temperature":20,"vibration":1,"n":${n + i}}`,
      )
      const beganMs = performance.now()
      try {
        const answer = await post(url, `${lines.join('\n')}\n`)
        if (answer.status === 202) acknowledged.push(...lines)
        else failures.push(`${answer.status} ${await answer.text()}`)
      } catch (error) {
        failures.push(String(error))
      }
      longestMs = Math.max(longestMs, performance.now() - beganMs)
      callCount += 1
      await pause(20)
    }
  })()
  return {
    async stop() {
      stopping = true
      await work
      return { acknowledged, failures, callCount, longestMs }
    },
  }
}

function post(url: string, body: string): Promise<Response> {
  return fetch(`${url}/api/readings`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body })
}

async function follow(reader: TopicReader, partition: number, signal: AbortSignal, into: KafkaRecord[]): Promise<void> {
  for await (const record of reader.read({ partition, from: 0, follow: true, signal })) into.push(record)
}

async function readAll(reader: TopicReader): Promise<KafkaRecord[]> {
  const records: KafkaRecord[] = []
  for (let partition = 0; partition < reader.partitionCount; partition++)
    for await (const record of reader.read({ partition, from: 0 })) records.push(record)
  return records
}

/** Sum of the ends of sensor-data, also of what is not committed. */
async function endOf(kafka: KafkaConnection): Promise<number> {
  const reader = await TopicReader.open(kafka, 'sensor-data')
  const ends = await reader.offsets('end')
  await reader.close()
  return ends.reduce((sum, end) => sum + end, 0)
}

async function allInSync(kafka: KafkaConnection, topics: readonly string[]): Promise<void> {
  await eventually('all copies are in sync', 180, async () => {
    const admin = new Admin({ ...clientOptions(kafka, 'proof'), retries: 0 })
    try {
      const { topics: found } = await admin.metadata({
        topics: [...topics].filter((topic) => !topic.startsWith('__')),
        forceUpdate: true,
      })
      const partitions = [...found.values()].flatMap((topic) => topic.partitions)
      if (partitions.every(({ isr, replicas, leader }) => leader >= 0 && isr.length === replicas.length)) return true
    } catch {
      // A broker is still on its way.
    } finally {
      await admin.close()
    }
    await pause(300)
    return null
  })
}

function alertLine(partition: number, n: number): string {
  return JSON.stringify({
    deviceId: `d-${partition}`,
    probability: 0.9,
    status: 'High risk of failure',
    windowStart: n,
    windowEnd: n + 1,
    revision: 0,
    model: { name: 'press', version: '1' },
    features: {},
    why: [],
  })
}

/** A client of server-sent events. */
function stream(url: string, place: string | null, signal: AbortSignal, take: (place: string, line: string) => void) {
  const places: string[] = []
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const work = async (): Promise<void> => {
    const answer = await fetch(url, { signal, headers: place === null ? {} : { 'last-event-id': place } })
    let rest = ''
    for await (const part of answer.body ?? []) {
      open()
      rest += Buffer.from(part).toString()
      const events = rest.split('\n\n')
      rest = events.pop() ?? ''
      for (const event of events) {
        const id = /^id: (.*)$/m.exec(event)?.[1]
        const line = /^data: (.*)$/m.exec(event)?.[1]
        if (id === undefined || line === undefined) continue
        places.push(id)
        take(id, line)
      }
    }
  }
  // Ended by the signal.
  work().catch(() => undefined)
  return { opened, placeAfter: (count: number): string => places[count - 1] ?? '' }
}

function inDeviceOrder(values: readonly string[]): boolean {
  const last = new Map<string, number>()
  return values.every((value) => {
    const { deviceId, n } = JSON.parse(value) as { deviceId: string; n: number }
    const before = last.get(deviceId) ?? -1
    last.set(deviceId, n)
    return n > before
  })
}

function deviceOf(value: Uint8Array): string {
  return (JSON.parse(Buffer.from(value).toString()) as { deviceId: string }).deviceId
}

function placeOf({ partition, offset }: KafkaRecord): string {
  return `${partition}:${offset}`
}

async function command(...args: readonly string[]) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([textOf(child.stdout), textOf(child.stderr), once(child, 'close')])
  return { stdout, stderr, code: code as number | null }
}

async function textOf(output: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const part of output) text += String(part)
  return text
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? ''
}
