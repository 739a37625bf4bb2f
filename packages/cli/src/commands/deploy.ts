import {
  type DeployResult,
  deploy,
  differenceText,
  findQuietPartitions,
  KafkaAdministration,
  quietText,
  readsEvents,
  topicDefinitions,
} from '@millwright/cluster'
import { ConfigurationError } from '@millwright/core'
import type { KafkaConnection, KafkaFlags } from '@millwright/gateways/kafka'
import type { Command } from 'commander'
import { addFlinkFlags, type FlinkFlags, withFlink } from '../cluster/flink-flags.ts'
import { release } from '../installation.ts'
import { addKafkaFlags, connectionOf } from '../kafka/kafka-flags.ts'
import { loadProject } from '../project/load-project.ts'
import { wholeNumber } from '../terminal/arguments.ts'

const examples = `
Examples:
  millwright deploy my-plant --flink http://127.0.0.1:8081 --kafka 127.0.0.1:9092
  millwright deploy my-plant --flink https://flink.plant --flink-ca ca.pem --kafka k1:9093,k2:9093 --kafka-properties /etc/millwright/kafka.properties

The --kafka flags are for making the topics from here; with a login, the job's own settings come from --kafka-properties.
Deploying again replaces the job: it stops with a savepoint, and the new one goes on from there. A change that the old state cannot
serve is refused while the old job runs.`

interface DeployFlags extends FlinkFlags, KafkaFlags {
  readonly kafkaProperties?: string
  readonly transactionTimeout?: string
  readonly parallelism?: string
  readonly savepoint?: string
  readonly withoutState?: true
  readonly json?: true
}

/** Adds `millwright deploy`: the project as a job of Flink. */
export function addCommand(program: Command): void {
  addKafkaFlags(addFlinkFlags(program.command('deploy')))
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .description(
      'Run a project on Apache Flink and Apache Kafka: bundle it, upload it, and put it in the place of the job that runs.',
    )
    .option(
      '--kafka-properties <file>',
      "file of Kafka client settings on Flink's machines, for a login: it is read there, and is no argument of the job",
    )
    .option(
      '--transaction-timeout <seconds>',
      'how long readers of committed records wait behind a job that died and does not come back (default: 600); a job that is away longer loses what it had not committed',
    )
    .option('--parallelism <n>', 'subtasks (default: as the job that runs has, else the partitions of sensor-data)')
    .option('--savepoint <path>', 'where no job of this name runs: a savepoint to go on from')
    .option('--without-state', 'begin anew at the oldest record; windows that were given come again')
    .option('--json', 'print one JSON document on stdout')
    .addHelpText('after', examples)
    .action(run)
}

async function run(projectPath: string, flags: DeployFlags): Promise<void> {
  const { plan, configPath } = await loadProject(projectPath)
  const kafka = await connectionOf(flags)
  if (kafka === null)
    throw new ConfigurationError('Kafka is not named.', [
      { field: '--kafka', found: 'nothing', wanted: 'HOST:PORT,… of some brokers, as the task managers reach them' },
    ])
  const onStep = (text: string): void => void process.stderr.write(`${text}\n`)
  onStep(`Looking at the topics on ${kafka.bootstrapServers.join(', ')}`)
  await ensureTopics(kafka, plan.partitionCount, onStep)
  const quietPartitions = await findQuietPartitions(kafka, ['sensor-data', 'device-events'], Date.now())
  const warning = quietText(quietPartitions, readsEvents(plan))
  if (warning !== null) onStep(`Warning: ${warning}`)
  const result = await withFlink(flags, (flink) =>
    deploy({
      plan,
      configPath,
      release,
      flink,
      bootstrapServers: kafka.bootstrapServers,
      ...(flags.parallelism === undefined
        ? {}
        : { parallelism: wholeNumber('--parallelism', flags.parallelism, 1, 128) }),
      ...(flags.transactionTimeout === undefined
        ? {}
        : { transactionTimeoutMs: 1000 * wholeNumber('--transaction-timeout', flags.transactionTimeout, 10, 86_400) }),
      ...(flags.kafkaProperties === undefined ? {} : { kafkaProperties: flags.kafkaProperties }),
      ...(flags.savepoint === undefined ? {} : { savepoint: flags.savepoint }),
      withoutState: flags.withoutState === true,
      onStep,
    }),
  )
  process.stdout.write(
    flags.json ? `${JSON.stringify({ ...result, quietPartitions })}\n` : `${resultText(plan.name, result)}\n`,
  )
}

/** Makes the topics that are missing; what is there is left as it is, and what differs is said. */
async function ensureTopics(
  connection: KafkaConnection,
  partitionCount: number,
  onStep: (text: string) => void,
): Promise<void> {
  const kafka = new KafkaAdministration(connection)
  try {
    const { created, differences } = await kafka.ensureTopics(topicDefinitions({ partitionCount }))
    if (created.length > 0) onStep(`Made ${created.join(', ')}`)
    for (const difference of differences) onStep(`Note: ${differenceText(difference)}`)
  } finally {
    await kafka.close()
  }
}

function resultText(name: string, { outcome, jobId, parallelism, savepoint, notes }: DeployResult): string {
  const said = {
    started: `${name} runs as job ${jobId}, parallelism ${parallelism}.`,
    replaced: `${name} runs as job ${jobId}, parallelism ${parallelism}, from where the job before stopped (${savepoint}).`,
    unchanged: `${name} is as it was: job ${jobId}, parallelism ${parallelism}.`,
  }[outcome]
  return [said, ...notes.map((note) => `  ${note}`), 'Look with: millwright status'].join('\n')
}
