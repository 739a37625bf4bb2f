/**
 * Proof: brokers of an earlier line (3.8) do all that a plant on Flink asks of them: topics, models, files, a gateway, exactly-once outputs, a job that is
 * started again beside what the one before left open.
 *
 *   node scripts/proofs/kafka-earlier.ts [--keep 1]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pressLines, pressPackage, writeLines, writeProject } from '../../packages/cli/src/commands/command-testing.ts'
import { kafkaVersionEarlier } from '../../packages/cluster/src/development/artifacts.ts'
import type { DevelopmentCluster } from '../../packages/cluster/src/development/index.ts'
import { did, startGateway, told } from './support/commands.ts'
import { eventually, type Proof, pause, prove } from './support/proof.ts'
import { withProofCluster } from './support/proof-cluster.ts'

const minutes = 20
const deviceCount = 2

await prove('kafka-earlier', 1200, (proof) =>
  withProofCluster(proof, 'proof-kafka-earlier', { kafkaVersion: kafkaVersionEarlier }, (cluster) =>
    body(proof, cluster),
  ),
)

async function body(proof: Proof, cluster: DevelopmentCluster): Promise<void> {
  const kafka = ['--kafka', cluster.bootstrapServers.join(',')]
  const flink = ['--flink', cluster.flinkUrl]
  const project = writeProject(join(proof.folder, 'project'))
  const model = join(proof.folder, 'press.mwmodel')
  writeFileSync(model, pressPackage('1'))
  const all = pressLines(0, minutes)
  const halves = [all.slice(0, all.length / 2), all.slice(all.length / 2)].map((half, i) =>
    writeLines(join(proof.folder, `half-${i}.ndjson`), half),
  )
  const out = join(proof.folder, 'replay')
  await did('replay', project, '--out', out, '--model', model, ...halves.flatMap((half) => ['--input', half]))
  const wanted = readFileSync(join(out, 'alert-signals.ndjson'), 'utf8').split('\n')
  const alerts = async (): Promise<string[]> =>
    (await did('topics', 'export', 'alert-signals', ...kafka)).stdout.split('\n').filter((line) => line !== '')
  const isWanted = (found: readonly string[]): boolean => found.every((line) => wanted.includes(line))
  const come = async (count: number): Promise<string[]> =>
    eventually(`${count} alert signals`, 240, async () => {
      const found = await alerts()
      return found.length >= count ? found : null
    })

  await did('deploy', project, ...flink, ...kafka)
  await did('models', 'publish', project, model, ...kafka)
  await pause(2000)
  await did('ingest', project, '--input', halves[0] ?? '', ...kafka)
  const first = await come(deviceCount * (minutes / 2 - 1))
  proof.check(
    isWanted(first),
    `Kafka ${kafkaVersionEarlier}: ${first.length} alert signals of a file equal those of a replay`,
  )

  await did('scale', '2', project, ...flink)
  const gateway = await startGateway(project, ...kafka)
  proof.onEnd(() => gateway.kill())
  const body = readFileSync(halves[1] ?? '', 'utf8')
  const headers = { 'content-type': 'application/x-ndjson' }
  const answer = await fetch(`${gateway.url}/api/readings`, { method: 'POST', headers, body })
  const both = await come(deviceCount * (minutes - 1))
  proof.check(
    answer.status === 202 &&
      both.length === deviceCount * (minutes - 1) &&
      isWanted(both) &&
      new Set(both).size === both.length,
    `and ${both.length} after a start from a savepoint, with the rest through a gateway, none twice`,
  )
  await eventually('the time of all subtasks', 60, async () => {
    const { watermarkMs } = await told('status', project, ...flink)
    return watermarkMs !== null && Date.now() - watermarkMs < 15_000 ? true : null
  })
  proof.check(true, 'heartbeats carry time forward')
  await gateway.stop()
  await did('cancel', project, ...flink, '--without-savepoint')
}
