/**
 * Proof: a project on a real Flink reads its topics' history. A range of it, given by times or by offsets, equals a replay of the same readings,
 * beside the job that runs and without a trace in its topics. Where windows look at device events, readings and events are taken in the order
 * of their append times, as the embedded engine takes them; without a gateway the job says which partition holds them back.
 *
 *   node scripts/proofs/history.ts [--keep 1]
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pressPackage, writeProject } from '../../packages/cli/src/commands/command-testing.ts'
import { loadProject } from '../../packages/cli/src/project/load-project.ts'
import type { DevelopmentCluster } from '../../packages/cluster/src/development/index.ts'
import { quietAfterMs } from '../../packages/cluster/src/kafka/quiet-partitions.ts'
import { createDirectEngine, type RunResult, type Step } from '../../packages/testkit/src/index.ts'
import { command, did, startGateway, told } from './support/commands.ts'
import { minutesPerPart, readingsOfPart, startMs } from './support/press-readings.ts'
import { eventually, type Proof, pause, prove, seededChance } from './support/proof.ts'
import { withProofCluster } from './support/proof-cluster.ts'

const name = 'proof-history'
const deviceCount = 30
const partCount = 3
const rounds = 40
const scored = ['device-features', 'alert-signals'] as const

await prove('history', 1500, (proof) => withProofCluster(proof, name, {}, (cluster) => body(proof, cluster)))

async function body(proof: Proof, cluster: DevelopmentCluster): Promise<void> {
  const kafka = ['--kafka', cluster.bootstrapServers.join(',')]
  const flink = ['--flink', cluster.flinkUrl]
  const onKafka = async (topic: string, prefix = ''): Promise<string[]> =>
    lines((await did('topics', 'export', topic, ...kafka, ...(prefix === '' ? [] : ['--prefix', prefix]))).stdout)

  const project = writeProject(join(proof.folder, 'plain'))
  const model = join(proof.folder, 'press.mwmodel')
  writeFileSync(model, pressPackage('1'))
  const parts = Array.from({ length: partCount }, (_, part) => {
    const path = join(proof.folder, `part-${part}.ndjson`)
    writeFileSync(path, readingsOfPart(part, deviceCount).join('\n'))
    return path
  })
  const replayed = async (topic: string, inputs: readonly string[]): Promise<Map<string, string[]>> => {
    const out = join(proof.folder, `replay-${topic}-${inputs.length}-${Math.random()}`)
    await did('replay', project, '--out', out, '--model', model, ...inputs.flatMap((path) => ['--input', path]))
    return byDevice(lines(readFileSync(join(out, `${topic}.ndjson`), 'utf8')))
  }

  await did('deploy', project, ...flink, ...kafka)
  await did('models', 'publish', project, model, ...kafka)
  // A model is in force a second after it is published; a part of the history ends where the next one begins.
  const cuts: number[] = []
  for (const part of parts) {
    await nextSecond()
    await nextSecond()
    cuts.push(Date.now())
    await did('ingest', project, '--input', part, ...kafka)
  }
  await nextSecond()
  cuts.push(Date.now())
  const countLive = deviceCount * (partCount * minutesPerPart - 1)
  await eventually('the live windows', 240, async () =>
    (await onKafka('alert-signals')).length >= countLive ? true : null,
  )
  const live = await told('status', project, ...flink)

  const runs: readonly { prefix: string; range: readonly string[]; inputs: readonly string[]; what: string }[] = [
    {
      prefix: 'first-',
      range: ['--until', isoOf(cuts[1])],
      inputs: parts.slice(0, 1),
      what: 'from the beginning up to a time',
    },
    {
      prefix: 'second-',
      range: ['--from', isoOf(cuts[1]), '--until', isoOf(cuts[2])],
      inputs: parts.slice(1, 2),
      what: 'between two times',
    },
  ]
  for (const { prefix, range, inputs, what } of runs) {
    const run = await told('deploy', project, ...flink, ...kafka, ...range, '--output-prefix', prefix, '--wait')
    let equal = run.recordsMax >= inputs.length * readingsOfPart(0, deviceCount).length
    let count = 0
    for (const topic of scored) {
      const found = byDevice(await onKafka(topic, prefix))
      equal &&= sameOutputs(found, await replayed(topic, inputs))
      for (const messages of found.values()) count += messages.length
    }
    proof.check(
      equal && count === 2 * inputs.length * deviceCount * minutesPerPart,
      `a run ${what} equals a replay of those readings: ${count} messages, byte for byte, device by device`,
    )
  }

  const ends = offsetsOf(await told('topics', 'list', ...kafka), 'sensor-data')
  const byOffsets = await told(
    ...['deploy', project, ...flink, ...kafka, '--output-prefix', 'offsets-', '--wait', '--parallelism', '2'],
    ...['--from', `sensor-data:0=${ends[0]}`, '--until', `sensor-data:1=0,sensor-data:2=${ends[2]}`],
  )
  const ofThird = byDevice(await onKafka('device-features', 'offsets-'))
  const wantedOfThird = byDevice(
    (await did('topics', 'export', 'sensor-data', '--partition', '2', ...kafka)).stdout.split('\n').filter(isReading),
  )
  proof.check(
    byOffsets.parallelism === 2 &&
      ofThird.size > 0 &&
      [...ofThird.keys()].sort().join() === [...wantedOfThird.keys()].sort().join() &&
      sameOutputs(ofThird, onlyOf(await replayed('device-features', parts), wantedOfThird)),
    `offsets choose what is read of each partition: ${ofThird.size} devices of partition 2 alone`,
  )

  const stillLive = await told('status', project, ...flink)
  proof.check(
    stillLive.jobId === live.jobId &&
      stillLive.state === 'RUNNING' &&
      stillLive.restarts === 0 &&
      (await onKafka('alert-signals')).length === countLive,
    'the job that runs went on beside them, and its topics have nothing of theirs',
  )
  const again = await command('deploy', project, ...flink, ...kafka, '--until', 'latest', '--output-prefix', 'first-')
  proof.check(
    again.code === 2 && again.stderr.includes('--output-prefix'),
    'topics that a run wrote to are not written to by another',
  )
  await did('cancel', project, ...flink, '--without-savepoint')

  const events = writeEventProject(join(proof.folder, 'events'))
  const { plan } = await loadProject(events)
  const gateway = await startGateway(events, ...kafka)
  proof.onEnd(() => gateway.kill())
  await sendHistory(gateway.url)
  await gateway.stop()
  // Long enough that nobody can think a gateway is there.
  await pause(quietAfterMs + 1000)
  // The topics hold windows of the plant before: two plants on them are for a proof alone.
  const deployed = await did('deploy', events, ...flink, ...kafka, '--without-state')
  proof.check(
    /Warning: Nothing was written lately to .*sensor-data 0 \(for \d+ s\).*every reading waits/.test(deployed.stderr),
    'deploy warns of partitions to which nobody writes, and says what waits for them',
  )
  const held = await eventually('records that are held', 180, async () => {
    const status = await told('status', events, ...flink)
    return status.recordsHeld > 0 && status.slowest !== null ? status : null
  })
  const shown = (await did('status', events, ...flink)).stdout
  proof.check(
    /held back by +(?:sensor-data|device-events) \d, read to/.test(shown) && /records held +\d/.test(shown),
    `status shows that ${held.recordsHeld} records wait, and for which partition: ${held.slowest.topic} ${held.slowest.partition}`,
  )
  const beating = await startGateway(events, ...kafka)
  proof.onEnd(() => beating.kill())
  const steps = await stepsOf(async (topic) =>
    lines((await did('topics', 'export', topic, ...kafka, '--envelope')).stdout),
  )
  const direct = createDirectEngine().run(plan, steps) as RunResult
  const wanted = byDevice(direct.outputs.filter(({ topic }) => topic === 'device-features').map(({ line }) => line))
  const wantedCount = [...wanted.values()].reduce((sum, messages) => sum + messages.length, 0)
  const ofMills = async (): Promise<string[]> =>
    (await onKafka('device-features')).filter((line) => line.includes('"mill-'))
  await eventually('the windows of the mills', 120, async () => ((await ofMills()).length >= wantedCount ? true : null))
  const found = byDevice(await ofMills())
  const late = Number(direct.counters['device_events_late_total'])
  proof.check(
    wantedCount > 500 && late > 100 && sameOutputs(found, wanted),
    `${wantedCount} windows over readings and events that race (${late} events came late) equal the embedded operator's, byte for byte`,
  )
  await eventually('nothing held', 60, async () =>
    (await told('status', events, ...flink)).recordsHeld < 5 * deviceCount ? true : null,
  )
  await beating.stop()
  await did('cancel', events, ...flink, '--without-savepoint')
}

/** A project whose windows look at device events. */
function writeEventProject(folder: string): string {
  writeProject(folder)
  const config = join(folder, 'millwright.config.ts')
  writeFileSync(
    config,
    readFileSync(config, 'utf8')
      .replace('definePlant, mean', 'countOf, definePlant, hoursSince, mean')
      .replace("name: 'press-shop'", "name: 'mill-shop'")
      .replace(
        "mean('vibration') }",
        "mean('vibration'), since: hoursSince('maintenance'), errors: countOf('error', { hours: 1 }) }",
      )
      .replace("model: 'press',", ''),
  )
  return folder
}

/** Sends readings and events of the mills in turn, each round a minute of their clocks; events of the minute that was closed just now come late. */
async function sendHistory(url: string): Promise<void> {
  const chance = seededChance(5)
  for (let round = 0; round < rounds; round++) {
    const minuteMs = startMs + round * 60_000
    const readings: object[] = []
    const events: object[] = []
    for (let device = 0; device < deviceCount; device++) {
      const deviceId = `mill-${device}`
      readings.push({
        deviceId,
        timestamp: minuteMs + Math.floor(chance() * 50_000),
        temperature: 40,
        vibration: 1 + chance(),
      })
      for (const type of ['maintenance', 'error'])
        if (chance() < 0.5) events.push({ deviceId, timestamp: minuteMs - Math.floor(chance() * 60_000), type })
    }
    await post(`${url}/api/readings`, readings)
    await post(`${url}/api/events`, events)
  }
}

async function post(url: string, records: readonly object[]): Promise<void> {
  const body = records.map((record) => JSON.stringify(record)).join('\n')
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body })
  if (response.status !== 202) throw new Error(`${url}: ${response.status} ${await response.text()}`)
}

/** What the topics hold as one log: by append time, readings before events of the same moment, each partition in its order. */
async function stepsOf(exported: (topic: 'sensor-data' | 'device-events') => Promise<string[]>): Promise<Step[]> {
  const steps: { step: Step; order: readonly [number, number, number] }[] = []
  const encoder = new TextEncoder()
  for (const [input, topic] of (['sensor-data', 'device-events'] as const).entries())
    for (const line of await exported(topic)) {
      const { appendTime, offset } = JSON.parse(line) as { appendTime: number; offset: number }
      const value = line.slice(line.indexOf('"value":') + 8, -1)
      if (!value.includes('"mill-')) continue
      const kind = topic === 'sensor-data' ? 'readings' : 'events'
      steps.push({
        step: { kind, bytes: encoder.encode(value), appendTimeMs: appendTime },
        order: [appendTime, input, offset],
      })
    }
  return steps.sort(({ order: a }, { order: b }) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]).map(({ step }) => step)
}

function byDevice(found: readonly string[]): Map<string, string[]> {
  const devices = new Map<string, string[]>()
  for (const line of found) {
    const { deviceId } = JSON.parse(line) as { deviceId: string }
    const messages = devices.get(deviceId) ?? []
    messages.push(line)
    devices.set(deviceId, messages)
  }
  return devices
}

function sameOutputs(found: ReadonlyMap<string, string[]>, wanted: ReadonlyMap<string, string[]>): boolean {
  return (
    found.size === wanted.size &&
    [...wanted].every(([device, messages]) => messages.join('\n') === found.get(device)?.join('\n'))
  )
}

function onlyOf(all: ReadonlyMap<string, string[]>, wanted: ReadonlyMap<string, unknown>): Map<string, string[]> {
  return new Map([...all].filter(([device]) => wanted.has(device)))
}

function offsetsOf(
  listed: readonly { topic: string; partition: number; endOffset: number }[],
  topic: string,
): number[] {
  const offsets: number[] = []
  for (const { partition, endOffset } of listed.filter((row) => row.topic === topic)) offsets[partition] = endOffset
  return offsets
}

function isReading(line: string): boolean {
  return line.includes('"deviceId"')
}

function isoOf(timeMs: number | undefined): string {
  return new Date(timeMs ?? Number.NaN).toISOString()
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

/** Resolves in the next whole second: brokers' clocks and this one's are one here. */
async function nextSecond(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1000 - (Date.now() % 1000) + 5))
}
