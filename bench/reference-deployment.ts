import { join } from 'node:path'
import { deploy, type FlinkClient } from '@millwright/cluster'
import type { Plan } from '@millwright/core'
import type { DevelopmentCluster } from '../packages/cluster/src/development/index.ts'
import { topicDefinitions } from '../packages/cluster/src/kafka/topic-definitions.ts'
import { publishModel } from './cluster-topics.ts'
import { preparedProject } from './prepared-plant.ts'

/** Makes the topics and publishes the model of the reference plant; then has `fill` fill them, and runs the plant's job. @returns Its name. */
export async function deployReference(
  cluster: DevelopmentCluster,
  flink: FlinkClient,
  fill: () => Promise<unknown>,
): Promise<string> {
  const kafka = cluster.openKafka()
  await kafka.ensureTopics(topicDefinitions())
  await kafka.close()
  const project = await preparedProject()
  await publishModel(cluster.kafka, { name: 'reference', version: 'bench', path: join(project, 'model.mwmodel') })
  await fill()
  const { default: plan } = (await import('./reference-plant/millwright.config.ts')) as { default: Plan }
  await deploy({
    plan,
    configPath: join(project, 'millwright.config.ts'),
    release: 'bench',
    flink,
    bootstrapServers: cluster.bootstrapServers,
    findResults: async () => [],
    onStep: (text) => void process.stderr.write(`${text}\n`),
  })
  return plan.name
}
