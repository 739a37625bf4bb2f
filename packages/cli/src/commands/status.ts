import { jobStatus } from '@millwright/cluster'
import type { KafkaFlags } from '@millwright/gateways/kafka'
import type { Command } from 'commander'
import { addFlinkFlags, type FlinkFlags, withFlink } from '../cluster/flink-flags.ts'
import { jobLags } from '../cluster/job-lags.ts'
import { jobStatusText } from '../cluster/job-status-text.ts'
import { addKafkaFlags, connectionOf } from '../kafka/kafka-flags.ts'
import { loadProject } from '../project/load-project.ts'

const examples = `
Examples:
  millwright status my-plant --flink http://127.0.0.1:8081
  millwright status my-plant --kafka 127.0.0.1:9092
  millwright status my-plant --json | jq .restarts

With --kafka it asks the brokers, too, and says of each partition that the job reads how far it is behind the end.

Exit 1 when no job of the project runs.`

/** Adds `millwright status`: how the job of a project on Flink is. */
export function addCommand(program: Command): void {
  addKafkaFlags(addFlinkFlags(program.command('status')))
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .description(
      'Show the job of a project on Flink: state, checkpoints, places in Kafka and lag, time reached, records, memory, restarts.',
    )
    .option('--job <name>', "another job than the project's own, as a bounded run (PLANT.backfill)")
    .option('--json', 'print one JSON document on stdout')
    .addHelpText('after', examples)
    .action(run)
}

interface StatusFlags extends FlinkFlags, KafkaFlags {
  readonly job?: string
  readonly json?: true
}

async function run(projectPath: string, flags: StatusFlags): Promise<void> {
  const connection = await connectionOf(flags)
  const name = flags.job ?? (await loadProject(projectPath)).plan.name
  const status = await withFlink(flags, (flink) => jobStatus(flink, name))
  const lag = status === null || connection === null ? null : await jobLags(connection, status, flags.job === undefined)
  if (flags.json) process.stdout.write(`${JSON.stringify(status === null ? null : { ...status, lag })}\n`)
  else if (status !== null) process.stdout.write(`${jobStatusText(status, lag, Date.now())}\n`)
  if (status !== null) return
  process.exitCode = 1
  if (!flags.json) process.stderr.write(`No job named "${name}" runs: millwright deploy starts it.\n`)
}
