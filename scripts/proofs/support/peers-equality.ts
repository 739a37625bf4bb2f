import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type OutputTopic, outputTopics } from '@millwright/core'
import type { StepOutput } from '@millwright/testkit'
import { endOf, fillTopic, linesOfFile, publishModel, windowsFrom } from '../../../bench/cluster-topics.ts'
import { millwright, peersInput, peersReference } from '../../../bench/peers.ts'
import { preparedProject } from '../../../bench/prepared-plant.ts'
import { assertSame, buildReference, referenceArguments, referenceOut } from '../../../bench/reference-job.ts'
import { loadProject } from '../../../packages/cli/src/project/load-project.ts'
import { hostJar } from '../../../packages/cluster/src/deploy/host-jar.ts'
import type { DevelopmentCluster } from '../../../packages/cluster/src/development/index.ts'
import { topicDefinitions } from '../../../packages/cluster/src/kafka/topic-definitions.ts'
import { renewTopics } from './fleet-topics.ts'
import { bundleInto, runToEnd } from './guest-folder.ts'
import { committedOutputs, differences, topicEnds } from './kafka-outputs.ts'
import { PeersReference, requireOracles } from './peers-reference.ts'
import type { Proof } from './proof.ts'

/** What `replay` writes: a file has no append times, so no device falls silent in it, and none does here within a run. */
const topics = outputTopics.filter((topic) => topic !== 'device-status')
const parallelisms = [1, 3, 6]

/**
 * On the peers' own input the cluster gives what `millwright replay` gives, at each parallelism; its windows are those of the reference
 * job in Java on the same topic, its probabilities those of XGBoost.
 */
export async function provePeers(
  proof: Proof,
  cluster: DevelopmentCluster,
  { lineCount }: { readonly lineCount: number },
): Promise<void> {
  requireOracles()
  const input = peersInput(lineCount)
  const truth = peersReference(input)
  const project = await preparedProject()
  const wanted = replayed(proof, project, input)
  proof.say(`replay of ${lineCount} lines: ${wanted.length} records`)

  const definitions = topicDefinitions()
  const like = definitions.find(({ name }) => name === 'alert-signals')
  if (like === undefined) throw new Error('a plant has a topic of alerts')
  await renewTopics(cluster, [...definitions, { ...like, name: referenceOut }])
  await publishModel(cluster.kafka, { name: 'reference', version: 'bench', path: join(project, 'model.mwmodel') })
  await fillTopic(cluster.kafka, 'sensor-data', linesOfFile(input))
  const flink = cluster.openFlink()
  try {
    const { plan, configPath } = await loadProject(project)
    const guest = await bundleInto(join(proof.folder, 'peers-guest'), configPath, plan)
    const jarId = await flink.uploadJar(await hostJar(proof.say))
    const bootstrap = cluster.bootstrapServers.join(',')
    const from = await endOf(cluster.kafka, 'alert-signals')
    for (const parallelism of parallelisms) {
      const marks = await topicEnds(cluster.kafka, topics)
      await runToEnd(flink, jarId, { args: ['--kafka', bootstrap, '--guest', guest, '--until', 'latest'], parallelism })
      const found = await committedOutputs(cluster.kafka, marks)
      const told = differences(found, wanted)
      for (const text of told.slice(0, 3)) proof.say(text)
      proof.check(
        found.length > 0 && told.length === 0,
        `at parallelism ${parallelism}: ${found.length} records on ${topics.length} topics equal those of a replay, device by device, byte for byte (${told.length} sequences differ)`,
      )
      if (parallelism !== parallelisms[0]) continue
      const reference = new PeersReference(truth)
      for (const { topic, line } of found) if (topic === 'alert-signals') reference.take(line)
      reference.report(proof)
      await checkReferenceJob(proof, cluster, from)
    }
  } finally {
    await flink.close()
  }
}

/** Runs the reference job over the same topic, and holds its windows to ours. @param from Where our own alerts begin. */
async function checkReferenceJob(proof: Proof, cluster: DevelopmentCluster, from: readonly number[]): Promise<void> {
  const flink = cluster.openFlink()
  try {
    const jarId = await flink.uploadJar(await buildReference())
    const args = referenceArguments(cluster.bootstrapServers.join(','))
    await runToEnd(flink, jarId, { args, parallelism: 3 })
  } finally {
    await flink.close()
  }
  const ours = await windowsFrom(cluster.kafka, 'alert-signals', from)
  assertSame([ours, await windowsFrom(cluster.kafka, referenceOut, [0, 0, 0])])
  proof.check(ours.size > 0, `${ours.size} windows have the probabilities that the reference job in Java gives them`)
}

/** What the embedded operators give, from the files of a replay. */
function replayed(proof: Proof, project: string, input: string): StepOutput[] {
  const out = join(proof.folder, 'peers-replay')
  const [program, ...command] = millwright
  const args = [...command, 'replay', project, '--input', input, '--out', out, '--json']
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error(`replay ended with ${status}: ${stderr}`)
  return topics.flatMap((topic) => linesOf(join(out, `${topic}.ndjson`), topic))
}

function linesOf(path: string, topic: OutputTopic): StepOutput[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines
    .filter((line) => line !== '')
    .map((line) => ({
      topic,
      deviceId: (JSON.parse(line) as { deviceId: string | null }).deviceId,
      line,
      step: null,
    }))
}
