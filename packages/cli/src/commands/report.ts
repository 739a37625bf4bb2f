import { join } from 'node:path'
import { NodeDisk, readEngineInfo, readStoreCut, seemsRunning } from '@millwright/engine'
import type { KafkaFlags } from '@millwright/gateways/kafka'
import type { Command } from 'commander'
import { addKafkaFlags, connectionOf } from '../kafka/kafka-flags.ts'
import { loadProject } from '../project/load-project.ts'
import { formatCount } from '../terminal/progress.ts'
import { reportText } from '../watch/report-text.ts'
import { TopicsWatch, watchedPlant } from '../watch/topics-watch.ts'
import { kafkaWatchFolder } from '../watch/watch-state-file.ts'

const examples = `
Examples:
  millwright report my-plant
  millwright report my-plant --data /var/lib/millwright --json
  millwright report my-plant --anew
  millwright report my-plant --kafka k1:9092

Of a running plant it tells what is in its newest snapshot, some seconds ago; of a stopped one everything; on Kafka what the job's newest
checkpoint has. Changes nothing but kept model packages.
docs/guide/watching.md explains each number.`

interface ReportFlags extends KafkaFlags {
  readonly data?: string
  readonly anew?: true
  readonly json?: true
}

const recordsPerStep = 10_000

/** Adds `millwright report`: what verdicts, drift and data quality say of the model. */
export function addCommand(program: Command): void {
  addKafkaFlags(program.command('report'))
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .description('Say how the model does: verdicts against predictions, drift, estimates, data quality.')
    .option('--data <dir>', 'data folder (default: data, in the project)')
    .option('--anew', 'read the topics from their beginning, not from what a watcher saved')
    .option('--json', 'print the report as JSON on stdout')
    .addHelpText('after', examples)
    .action(report)
}

async function report(projectPath: string, flags: ReportFlags): Promise<void> {
  const connection = await connectionOf(flags)
  const project = await loadProject(projectPath)
  const dataDirectory = flags.data ?? join(project.directory, 'data')
  const useState = flags.anew !== true
  const plant = watchedPlant(project.plan)
  const watch =
    connection === null
      ? TopicsWatch.ofFolder(plant, dataDirectory, { useState, lookUpCut: () => cutOf(dataDirectory) })
      : await TopicsWatch.ofKafka(plant, {
          connection,
          directory: kafkaWatchFolder(dataDirectory),
          isPrudent: false,
          useState,
        })
  try {
    const isTold = await watch.look()
    let count = 0
    for (let taken = await watch.step(recordsPerStep); taken > 0; taken = await watch.step(recordsPerStep))
      count += taken
    const found = watch.report()
    if (flags.json) process.stdout.write(`${JSON.stringify({ plant: project.plan.name, ...found })}\n`)
    else process.stdout.write(`${reportText(found)}\n`)
    process.stderr.write(`${formatCount(count)} records were read.\n`)
    if (!isTold && watch.waitsFor !== null)
      process.stderr.write(`Nothing new was read: the job on Flink has left no place of ${watch.waitsFor} yet.\n`)
  } finally {
    await watch.close()
  }
}

/** Beside a running plant only what can no more be added to: else the order of reading would be chance. */
function cutOf(dataDirectory: string): number | null {
  const running = readEngineInfo(new NodeDisk(), dataDirectory)
  return running !== null && seemsRunning(running) ? readStoreCut(dataDirectory) : Number.POSITIVE_INFINITY
}
