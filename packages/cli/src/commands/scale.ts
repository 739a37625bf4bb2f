import { scale } from '@millwright/cluster'
import type { Command } from 'commander'
import { addFlinkFlags, type FlinkFlags, withFlink } from '../cluster/flink-flags.ts'
import { loadProject } from '../project/load-project.ts'
import { wholeNumber } from '../terminal/arguments.ts'

const examples = `
Examples:
  millwright scale 6 my-plant --flink http://127.0.0.1:8081

The job stops with a savepoint and goes on from it. Subtasks beyond the partitions of sensor-data do the windows of their share of
the devices; they read nothing.`

/** Adds `millwright scale`: another number of subtasks for the job of a project. */
export function addCommand(program: Command): void {
  addFlinkFlags(program.command('scale'))
    .argument('<n>', 'subtasks, 1 to 128')
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .description('Give the job of a project on Flink another parallelism; results stay the same.')
    .option('--json', 'print one JSON document on stdout')
    .addHelpText('after', examples)
    .action(run)
}

async function run(count: string, projectPath: string, flags: FlinkFlags & { readonly json?: true }): Promise<void> {
  const parallelism = wholeNumber('<n>', count, 1, 128)
  const { plan } = await loadProject(projectPath)
  const onStep = (text: string): void => void process.stderr.write(`${text}\n`)
  const result = await withFlink(flags, (flink) => scale({ flink, name: plan.name, onStep }, parallelism))
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ ...result, parallelism })}\n`
      : `${plan.name} runs as job ${result.jobId}, parallelism ${parallelism} (was ${result.parallelismBefore}).\n`,
  )
}
