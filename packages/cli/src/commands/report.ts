import { join } from 'node:path'
import { ConfigurationError } from '@millwright/core'
import { NodeDisk, readEngineInfo, readStoreCut, seemsRunning } from '@millwright/engine'
import type { KafkaFlags } from '@millwright/gateways/kafka'
import type { MachineReport } from '@millwright/monitoring'
import type { Command } from 'commander'
import { addKafkaFlags, connectionOf } from '../kafka/kafka-flags.ts'
import { loadProject } from '../project/load-project.ts'
import { formatCount } from '../terminal/progress.ts'
import { machineText } from '../watch/machine-text.ts'
import { reportText } from '../watch/report-text.ts'
import { TopicsWatch, watchedPlant } from '../watch/topics-watch.ts'
import { kafkaWatchFolder } from '../watch/watch-state-file.ts'

const examples = `
Examples:
  millwright report my-plant
  millwright report my-plant --data /var/lib/millwright --json
  millwright report my-plant --anew
  millwright report my-plant --device press-07
  millwright report my-plant --kafka k1:9092

Of a running plant it tells what is in its newest snapshot, some seconds ago; of a stopped one everything; on Kafka what the job's newest
checkpoint has. Changes nothing but kept model packages.
docs/guide/watching.md explains each number.`

interface ReportFlags extends KafkaFlags {
  readonly data?: string
  readonly anew?: true
  readonly device?: string
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
    .option('--device <id>', 'say what is known of one machine: data quality per channel, its own drift, verdicts')
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
    const found = flags.device === undefined ? watch.report() : machineOf(watch, flags.device)
    if (flags.json) process.stdout.write(`${JSON.stringify({ plant: project.plan.name, ...found })}\n`)
    else process.stdout.write(`${'models' in found ? reportText(found) : machineText(found)}\n`)
    process.stderr.write(`${formatCount(count)} records were read.\n`)
    if (!isTold && watch.waitsFor !== null)
      process.stderr.write(`Nothing new was read: the job on Flink has left no place of ${watch.waitsFor} yet.\n`)
  } finally {
    await watch.close()
  }
}

/** @throws {ConfigurationError} Where nothing is known of it. */
function machineOf(watch: TopicsWatch, deviceId: string): MachineReport {
  const found = watch.machineReport(deviceId)
  if (found !== null) return found
  throw new ConfigurationError('There is nothing to report.', [
    { field: '--device', found: deviceId, wanted: 'a machine of which a window, a verdict or a refusal was recorded' },
  ])
}

/** Beside a running plant only what can no more be added to: else the order of reading would be chance. */
function cutOf(dataDirectory: string): number | null {
  const running = readEngineInfo(new NodeDisk(), dataDirectory)
  return running !== null && seemsRunning(running) ? readStoreCut(dataDirectory) : Number.POSITIVE_INFINITY
}
