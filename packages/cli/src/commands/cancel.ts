import { cancel } from '@millwright/cluster'
import type { Command } from 'commander'
import { addFlinkFlags, type FlinkFlags, withFlink } from '../cluster/flink-flags.ts'
import { loadProject } from '../project/load-project.ts'

const examples = `
Examples:
  millwright cancel my-plant --flink http://127.0.0.1:8081
  millwright cancel my-plant --flink http://127.0.0.1:8081 --without-savepoint`

/** Adds `millwright cancel`: ends the job of a project. */
export function addCommand(program: Command): void {
  addFlinkFlags(program.command('cancel'))
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .description(
      'End the job of a project on Flink, with a savepoint from which `millwright deploy --savepoint` goes on.',
    )
    .option(
      '--without-savepoint',
      'end it at once; to deploy again then takes --savepoint of a retained checkpoint, or --without-state',
    )
    .option('--job <name>', "another job than the project's own, as a bounded run (PLANT.backfill)")
    .option('--json', 'print one JSON document on stdout')
    .addHelpText('after', examples)
    .action(run)
}

interface CancelFlags extends FlinkFlags {
  readonly job?: string
  readonly withoutSavepoint?: true
  readonly json?: true
}

async function run(projectPath: string, flags: CancelFlags): Promise<void> {
  const name = flags.job ?? (await loadProject(projectPath)).plan.name
  const onStep = (text: string): void => void process.stderr.write(`${text}\n`)
  const result = await withFlink(flags, (flink) => cancel({ flink, name, onStep }, flags.withoutSavepoint !== true))
  if (flags.json) process.stdout.write(`${JSON.stringify(result)}\n`)
  else if (result.savepoint === null) process.stdout.write(`Job ${result.jobId} has ended, without a savepoint.\n`)
  else
    process.stdout.write(
      `Job ${result.jobId} has ended. Its state is in ${result.savepoint}: millwright deploy --savepoint ${result.savepoint} goes on from it.\n`,
    )
}
