/**
 * Proof: what a project's own functions do wrong on a real Flink. A record over which one throws, or does not come back, becomes a dead letter that
 * names the function's place, and the job goes on without a restart; one that fills V8's heap fails the task with its place and the record's, and no
 * process ends.
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
const minutes = 5
const [endless, thrown, hungry] = [13, 14, 15]
const own = `custom(['vibration'], ({ values }) => {
      const vibration = values['vibration'] ?? []
      while (vibration.includes(${endless})) {}
      if (vibration.includes(${thrown})) throw new Error('fourteen')
      const kept: number[][] = []
      while (vibration.includes(${hungry})) kept.push(new Array(1000).fill(kept.length))
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
  const ingested = async (name: string, lines: readonly string[]): Promise<void> => {
    const path = join(proof.folder, `${name}.ndjson`)
    writeFileSync(path, lines.join('\n'))
    await did('ingest', project, '--input', path, ...kafka)
  }
  const exported = async (topic: string) =>
    (await did('topics', 'export', topic, ...kafka)).stdout
      .split('\n')
      .filter((row) => row !== '')
      .map((row) => JSON.parse(row))

  await did('deploy', project, ...flink, ...kafka)
  await ingested('readings', readings())
  const features = await eventually('windows', 600, async () => {
    const found = await exported('device-features')
    return found.length >= minutes - 1 && (await exported('dead-letters')).length >= 2 ? found : null
  })
  const letters = await exported('dead-letters')
  const of = (deviceId: string) => letters.filter((letter) => letter.deviceId === deviceId)
  proof.check(
    features.length === minutes - 1 && features.every(({ deviceId }) => deviceId === 'good'),
    `devices beside them get all of their ${features.length} windows`,
  )
  proof.check(
    of('loops').length === 1 &&
      of('loops')[0].reason === 'function-failed' &&
      new RegExp(
        `feature "own" of device "loops".* did not come back within .*millwright\\.config\\.ts:${line}:\\d+\\)`,
      ).test(of('loops')[0].message),
    `a record over which a function does not come back is a dead letter: ${of('loops')[0]?.message}`,
  )
  proof.check(
    of('throws').length === 1 && String(of('throws')[0].message).includes('fourteen'),
    `one over which it throws too: ${of('throws')[0]?.message}`,
  )
  const status = await told('status', project, ...flink)
  proof.check(status.state === 'RUNNING' && status.restarts === 0, 'the job goes on, and never restarted')

  const processes = (): (number | null)[] =>
    (['task-manager-1', 'task-manager-2'] as const).map((role) => cluster.pid(role))
  const before = processes()
  await ingested('hungry', [reading('hungry', 0, hungry), reading('hungry', 60_000 * 2, 1)])
  const failure = await eventually('a failed task', 300, async () => {
    const { failures } = await told('status', project, ...flink)
    return failures.find(({ cause }: { cause: string }) => cause.includes('GuestFailed')) ?? null
  })
  const { cause } = failure
  proof.check(
    /its heap came to its limit of \d+ MB/.test(cause) &&
      /\(at offset \d+ of "sensor-data", partition \d\)/.test(cause) &&
      new RegExp(
        `project's function of feature "own" of device "hungry".*millwright\\.config\\.ts:${line}:\\d+\\)`,
      ).test(cause),
    `one that fills the heap fails the task, with the record and the place: ${cause}`,
  )
  proof.check(String(before) === String(processes()) && !before.includes(null), 'and both task managers live')
  await did('cancel', project, ...flink, '--without-savepoint')
}

/** Each device closes windows; the poison of a device is in its last closed one, and nothing of it comes after that. */
function readings(): string[] {
  const lines: string[] = []
  for (let minute = 0; minute < minutes; minute++) lines.push(reading('good', 60_000 * minute + 10_000, 1))
  lines.push(reading('loops', 0, endless), reading('loops', 60_000 * 2, 1))
  lines.push(reading('throws', 0, thrown), reading('throws', 60_000 * 2, 1))
  return lines
}

function reading(deviceId: string, afterMs: number, vibration: number): string {
  return JSON.stringify({ deviceId, timestamp: startMs + afterMs, temperature: 40, vibration })
}
