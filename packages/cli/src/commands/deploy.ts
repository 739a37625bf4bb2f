import {
  type DeployResult,
  deploy,
  findQuietPartitions,
  KafkaAdministration,
  quietText,
  readsEvents,
  type TopicOptions,
  topicDefinitions,
  topicsWithRecords,
} from '@millwright/cluster'
import { ConfigurationError } from '@millwright/core'
import type { KafkaConnection, KafkaFlags } from '@millwright/gateways/kafka'
import type { Command } from 'commander'
import { deployRun, type RunFlags } from '../cluster/deploy-run.ts'
import { copiesOf, ensureTopics } from '../cluster/ensure-topics.ts'
import { addFlinkFlags, type FlinkFlags, withFlink } from '../cluster/flink-flags.ts'
import { release } from '../installation.ts'
import { addKafkaFlags, connectionOf } from '../kafka/kafka-flags.ts'
import { loadProject } from '../project/load-project.ts'
import { wholeNumber } from '../terminal/arguments.ts'
import { formatCount } from '../terminal/progress.ts'

const examples = `
Examples:
  millwright deploy my-plant --flink http://127.0.0.1:8081 --kafka 127.0.0.1:9092
  millwright deploy my-plant --flink https://flink.plant --flink-ca ca.pem --kafka k1:9093,k2:9093 --kafka-properties /etc/millwright/kafka.properties
  millwright deploy my-plant --kafka 127.0.0.1:9092 --from 2026-11-01T00:00:00Z --until 2026-11-08T00:00:00Z --wait

The --kafka flags are for making the topics from here; with a login, the job's own settings come from --kafka-properties.
Deploying again replaces the job: it stops with a savepoint, and the new one goes on from there. A change that the old state cannot
serve is refused while the old job runs.
With --until the project runs once over that range of its topics, beside the job that runs: it begins with no state, closes all
windows at the end, and writes to topics of its own.`

/** Written by operators alone, for each window that closes: dead letters may come from elsewhere. */
const resultTopics = ['device-features', 'alert-signals'] as const

interface DeployFlags extends FlinkFlags, KafkaFlags, RunFlags {
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
    .option('--replication <n>', 'copies of each partition of the topics that are made (default: 2; 3 in production)')
    .option('--min-in-sync <n>', 'copies that must have a record before it is acknowledged (default: 1; 2 of 3 copies)')
    .option('--savepoint <path>', 'where no job of this name runs: a savepoint or retained checkpoint to go on from')
    .option('--without-state', 'begin anew at the oldest record; windows that were given come again')
    .option(
      '--until <edge>',
      'run once, up to there: latest, a time as 2026-11-23T06:00:00Z, or TOPIC:PARTITION=OFFSET,…',
    )
    .option('--from <edge>', 'with --until: from there on (default: earliest)')
    .option(
      '--output-prefix <text>',
      "with --until: before the names of the topics it writes (default: backfill-; '': the plant's own)",
    )
    .option('--wait', 'with --until: end when the run does')
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
  requireOneKind(flags)
  const copies = copiesOf(flags)
  const onStep = (text: string): void => void process.stderr.write(`${text}\n`)
  onStep(`Looking at the topics on ${kafka.bootstrapServers.join(', ')}`)
  await ensurePlantTopics(kafka, { partitionCount: plan.partitionCount, ...copies }, onStep)
  const common = {
    plan,
    configPath,
    release,
    bootstrapServers: kafka.bootstrapServers,
    ...(flags.parallelism === undefined
      ? {}
      : { parallelism: wholeNumber('--parallelism', flags.parallelism, 1, 128) }),
    ...(flags.transactionTimeout === undefined
      ? {}
      : { transactionTimeoutMs: 1000 * wholeNumber('--transaction-timeout', flags.transactionTimeout, 10, 86_400) }),
    ...(flags.kafkaProperties === undefined ? {} : { kafkaProperties: flags.kafkaProperties }),
    onStep,
  }
  if (flags.until !== undefined) {
    const run = await withFlink(flags, (flink) => deployRun({ ...common, flink }, kafka, flags))
    const did = flags.wait ? `is over, after ${run.seconds.toFixed(1)} s` : 'runs'
    process.stdout.write(
      flags.json
        ? `${JSON.stringify(run)}\n`
        : `${run.jobName} ${did} (job ${run.jobId}, at most ${formatCount(run.recordsMax)} records). It writes ${run.outputs.join(', ')}.\n`,
    )
    return
  }
  const quietPartitions = await findQuietPartitions(kafka, ['sensor-data', 'device-events'], Date.now())
  const warning = quietText(quietPartitions, readsEvents(plan))
  if (warning !== null) onStep(`Warning: ${warning}`)
  const result = await withFlink(flags, (flink) =>
    deploy({
      ...common,
      flink,
      ...(flags.savepoint === undefined ? {} : { savepoint: flags.savepoint }),
      withoutState: flags.withoutState === true,
      findResults: () => topicsWithRecords(kafka, resultTopics),
    }),
  )
  process.stdout.write(
    flags.json ? `${JSON.stringify({ ...result, quietPartitions })}\n` : `${resultText(plan.name, result)}\n`,
  )
}

/** A run has no job before it; what only a run knows means nothing without one. @throws {ConfigurationError} */
function requireOneKind(flags: DeployFlags): void {
  const given = (names: readonly (readonly [string, string | true | undefined])[]): string[] =>
    names.filter(([, value]) => value !== undefined).map(([name]) => name)
  const ofJob = given([
    ['--savepoint', flags.savepoint],
    ['--without-state', flags.withoutState],
  ])
  const ofRun = given([
    ['--from', flags.from],
    ['--output-prefix', flags.outputPrefix],
    ['--wait', flags.wait],
  ])
  const wrong = flags.until === undefined ? ofRun : ofJob
  if (wrong.length === 0) return
  throw new ConfigurationError(
    'The command cannot run.',
    wrong.map((field) => ({
      field,
      found: flags.until === undefined ? 'given without --until' : 'given beside --until',
      wanted: flags.until === undefined ? 'a bounded run, with --until' : 'none: a bounded run begins with no state',
    })),
  )
}

/** Makes the topics of a plant that are missing. */
async function ensurePlantTopics(
  connection: KafkaConnection,
  options: TopicOptions,
  onStep: (text: string) => void,
): Promise<void> {
  const kafka = new KafkaAdministration(connection)
  try {
    await ensureTopics(kafka, topicDefinitions(options), onStep)
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
