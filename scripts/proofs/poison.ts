/**
 * Proof: what a project's own functions do wrong on a real Flink, in the midst of a fleet. A record over which one throws, does not come back, or fills
 * V8's heap (little by little, or by a table that doubles) becomes a dead letter that names the function's place; the job goes on without a
 * restart, in the same processes, and every other device gets what the operator gives it alone. Then ids come without end: those beyond
 * `devicesMax` are dead letters, the same ones at another number of subtasks.
 *
 *   node scripts/proofs/poison.ts [--keep 1]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeProject } from '../../packages/cli/src/commands/command-testing.ts'
import type { DevelopmentCluster } from '../../packages/cluster/src/development/index.ts'
import { did, told } from './support/commands.ts'
import { eventually, type Proof, prove } from './support/proof.ts'
import { withProofCluster } from './support/proof-cluster.ts'

const startMs = 1_767_571_200_000
const goodCount = 30
const minutes = 20
/** Each poison is a value of vibration that the project's function does not bear. */
const poisons = { loops: 13, throws: 14, hungry: 15, table: 16 } as const
type Poison = keyof typeof poisons
/** How a dead letter says what became of the function. */
const said: Record<Poison, RegExp> = {
  loops: /did not come back within \d+ ms of processor time/,
  throws: /fourteen/,
  hungry: /did not come back within \d+ MB of memory/,
  // Whichever it comes to first.
  table: /did not come back within \d+ (?:MB of memory|ms of processor time)/,
}
/** Of each kind: a heap that was full once must be as good as new. */
const devicesOf: Record<Poison, readonly string[]> = {
  loops: ['loops-1'],
  throws: ['throws-1', 'throws-2'],
  hungry: ['hungry-1', 'hungry-2', 'hungry-3'],
  table: ['table-1', 'table-2'],
}
/** Ids that come without end; of a bound of one device each key group has room for seven. */
const wildCount = 2000
const groupCount = 128
const roomOfGroup = 7
const own = `custom(['vibration'], ({ values }) => {
      const vibration = values['vibration'] ?? []
      while (vibration.includes(${poisons.loops})) {}
      if (vibration.includes(${poisons.throws})) throw new Error('fourteen')
      const kept: number[][] = []
      while (vibration.includes(${poisons.hungry})) kept.push(new Array(1000).fill(kept.length))
      const table: Record<string, number> = {}
      for (let i = 0; vibration.includes(${poisons.table}); i++) table['key ' + i] = i
      return vibration.length
    })`

await prove('poison', 1500, (proof) => withProofCluster(proof, 'proof-poison', {}, (cluster) => body(proof, cluster)))

async function body(proof: Proof, cluster: DevelopmentCluster): Promise<void> {
  const kafka = ['--kafka', cluster.bootstrapServers.join(',')]
  const flink = ['--flink', cluster.flinkUrl]
  const project = writeProject(join(proof.folder, 'project'))
  const config = join(project, 'millwright.config.ts')
  const text = readFileSync(config, 'utf8')
    .replace('definePlant, mean', 'custom, definePlant, mean')
    .replace("mean('vibration') }", `mean('vibration'), own: ${own} }`)
    .replace("model: 'press',", '')
  writeFileSync(config, text)
  const line = text.split('\n').findIndex((row) => row.includes('custom([')) + 1
  const written = (name: string, lines: readonly string[]): string => {
    const path = join(proof.folder, `${name}.ndjson`)
    writeFileSync(path, lines.join('\n'))
    return path
  }
  const exported = async (topic: string): Promise<string[]> =>
    linesOf((await did('topics', 'export', topic, ...kafka)).stdout)
  const pids = (): string => String((['task-manager-1', 'task-manager-2'] as const).map((role) => cluster.pid(role)))

  const out = join(proof.folder, 'replay')
  await did('replay', project, '--out', out, '--input', written('good', goodReadings()))
  const wanted = byDevice(linesOf(readFileSync(join(out, 'device-features.ndjson'), 'utf8')))
  // On one machine a bound that is as low would refuse the fleet; here each of many groups has room for some.
  writeFileSync(config, text.replace('\n  window:', ' time: { devicesMax: 1 },\n  window:'))
  await did('deploy', project, ...flink, ...kafka)
  const before = pids()
  await did('ingest', project, '--input', written('all', mixed(goodReadings(), poisonReadings())), ...kafka)
  const letterCount = Object.values(devicesOf).flat().length
  await eventually('windows and dead letters', 900, async () => {
    const features = await exported('device-features')
    return features.length >= goodCount * (minutes - 1) && (await exported('dead-letters')).length >= letterCount
      ? true
      : null
  })
  const found = byDevice(await exported('device-features'))
  // The last window of each is open here: nothing has come after it.
  const differing = [...wanted].filter(([device, lines]) => String(found.get(device)) !== String(lines.slice(0, -1)))
  proof.check(
    wanted.size === goodCount && differing.length === 0 && found.size === goodCount,
    `the ${goodCount} devices beside them get all of their ${goodCount * (minutes - 1)} windows, byte for byte those of a replay without them${differing.length === 0 ? '' : `: not ${differing[0]?.[0]}`}`,
  )
  const letters = (await exported('dead-letters')).map((row) => JSON.parse(row))
  for (const [poison, devices] of Object.entries(devicesOf) as [Poison, readonly string[]][]) {
    const own = letters.filter(({ deviceId }) => devices.includes(deviceId))
    const place = new RegExp(`millwright\\.config\\.ts:${line}:\\d+\\)`)
    const isWanted = ({ reason, message, deviceId }: { reason: string; message: string; deviceId: string }): boolean =>
      reason === 'function-failed' &&
      message.includes(`feature "own" of device "${deviceId}"`) &&
      said[poison].test(message) &&
      // What throws has a stack of its own in the project's words.
      (poison === 'throws' || place.test(message))
    proof.check(
      own.length === devices.length && own.every(isWanted),
      `${own.length} records over which a function "${poison}" are dead letters: ${own[0]?.message}`,
    )
  }
  proof.check(letters.length === letterCount, 'and nothing else is one')
  const status = await told('status', project, ...flink)
  proof.check(
    status.state === 'RUNNING' && status.restarts === 0 && pids() === before && !before.includes('null'),
    'the job never restarted, and both task managers are the processes they were',
  )
  await proveDevicesMax(proof, {
    sendWild: (round) => did('ingest', project, '--input', written(`wild-${round}`, wildReadings(round)), ...kafka),
    scale: (parallelism) => did('scale', String(parallelism), project, ...flink),
    refused: async () => (await exported('dead-letters')).map((row) => JSON.parse(row)).filter(isDevicesMax),
    devices: async () => (await told('status', project, ...flink)).devices as number | null,
  })
  await did('cancel', project, ...flink, '--without-savepoint')
}

interface WildPlant {
  sendWild(round: number): Promise<unknown>
  scale(parallelism: number): Promise<unknown>
  /** Dead letters of devices too many. */
  refused(): Promise<{ deviceId: string }[]>
  /** What `status` knows. */
  devices(): Promise<number | null>
}

/** Ids without end find room for some of them, and the rest is refused: counted, and the same after a restart with other subtasks. */
async function proveDevicesMax(proof: Proof, plant: WildPlant): Promise<void> {
  const known = goodCount + Object.values(devicesOf).flat().length
  const roundOver = (from: number, admitted: number | null): Promise<{ deviceId: string }[]> =>
    eventually('what became of all ids', 300, async () => {
      const letters = (await plant.refused()).slice(from)
      const devices = await plant.devices()
      const isOver = devices !== null && letters.length > 0 && letters.length + devices === wildCount + known
      return isOver && (admitted === null || admitted === devices) ? letters : null
    })
  await plant.sendWild(0)
  const first = await roundOver(0, null)
  const admitted = wildCount + known - first.length
  proof.check(
    admitted >= known && admitted <= groupCount * roomOfGroup,
    `of ${wildCount} ids that nobody knows ${admitted - known} find room beside ${known}, ${first.length} are dead letters; there is room for ${roomOfGroup} in each of ${groupCount} groups`,
  )
  await plant.scale(6)
  await plant.sendWild(1)
  const second = await roundOver(first.length, admitted)
  const ids = (letters: readonly { deviceId: string }[]): string =>
    String(letters.map(({ deviceId }) => deviceId).sort())
  proof.check(ids(first) === ids(second), `with six subtasks after a restart the same ${second.length} are refused`)
}

function isDevicesMax({ reason }: { reason: string }): boolean {
  return reason === 'devices-max'
}

function wildReadings(round: number): string[] {
  return Array.from({ length: wildCount }, (_, i) => reading(`wild-${i}`, round * 1000, 1))
}

/** Every device each ten seconds. */
function goodReadings(): string[] {
  const lines: string[] = []
  for (let afterMs = 0; afterMs < minutes * 60_000; afterMs += 10_000)
    for (let device = 0; device < goodCount; device++)
      lines.push(reading(`good-${device}`, afterMs, 1 + ((afterMs / 10_000 + device) % 7) / 4))
  return lines
}

/** Each has its poison in one window, which its second reading closes. */
function poisonReadings(): string[] {
  return Object.entries(devicesOf).flatMap(([poison, devices]) =>
    devices.flatMap((device) => [reading(device, 0, poisons[poison as Poison]), reading(device, 120_000, 1)]),
  )
}

/** The second list evenly among the first, each in its order. */
function mixed(many: readonly string[], few: readonly string[]): string[] {
  const every = Math.floor(many.length / few.length)
  return many.flatMap((line, i) =>
    i % every === 0 && i / every < few.length ? [few[i / every] as string, line] : [line],
  )
}

function reading(deviceId: string, afterMs: number, vibration: number): string {
  return JSON.stringify({ deviceId, timestamp: startMs + afterMs, temperature: 40, vibration })
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

function byDevice(lines: readonly string[]): Map<string, string[]> {
  const devices = new Map<string, string[]>()
  for (const line of lines) {
    const { deviceId } = JSON.parse(line) as { deviceId: string }
    devices.set(deviceId, [...(devices.get(deviceId) ?? []), line])
  }
  return devices
}
