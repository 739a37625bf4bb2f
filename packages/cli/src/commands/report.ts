import { join } from 'node:path'
import { NodeDisk, readEngineInfo, readStoreCut, seemsRunning } from '@millwright/engine'
import type { Command } from 'commander'
import { loadProject } from '../project/load-project.ts'
import { formatCount } from '../terminal/progress.ts'
import { reportText } from '../watch/report-text.ts'
import { TopicsWatch, watchedPlant } from '../watch/topics-watch.ts'

const examples = `
Examples:
  millwright report my-plant
  millwright report my-plant --data /var/lib/millwright --json
  millwright report my-plant --anew

Of a running plant it tells what is in its newest snapshot, some seconds ago; of a stopped one everything. Changes nothing.
docs/guide/watching.md explains each number.`

interface ReportFlags {
  readonly data?: string
  readonly anew?: true
  readonly json?: true
}

const recordsPerStep = 10_000

/** Adds `millwright report`: what verdicts, drift and data quality say of the model. */
export function addCommand(program: Command): void {
  program
    .command('report')
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .description('Say how the model does: verdicts against predictions, drift, estimates, data quality.')
    .option('--data <dir>', 'data folder (default: data, in the project)')
    .option('--anew', 'read the topics from their beginning, not from what a watcher saved')
    .option('--json', 'print the report as JSON on stdout')
    .addHelpText('after', examples)
    .action(report)
}

async function report(projectPath: string, flags: ReportFlags): Promise<void> {
  const project = await loadProject(projectPath)
  const dataDirectory = flags.data ?? join(project.directory, 'data')
  const running = readEngineInfo(new NodeDisk(), dataDirectory)
  // Beside a running plant only what can no more be added to: else the order of reading would be chance.
  const cutMs =
    running !== null && seemsRunning(running)
      ? (readStoreCut(dataDirectory) ?? Number.NEGATIVE_INFINITY)
      : Number.POSITIVE_INFINITY
  const watch = new TopicsWatch(watchedPlant(project.plan), dataDirectory, flags.anew !== true)
  try {
    let count = 0
    for (let taken = watch.step(cutMs, recordsPerStep); taken > 0; taken = watch.step(cutMs, recordsPerStep))
      count += taken
    const found = watch.report()
    if (flags.json) process.stdout.write(`${JSON.stringify({ plant: project.plan.name, ...found })}\n`)
    else process.stdout.write(`${reportText(found)}\n`)
    process.stderr.write(`${formatCount(count)} records were read.\n`)
  } finally {
    watch.close()
  }
}
