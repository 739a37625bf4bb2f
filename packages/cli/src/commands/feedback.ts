import { join, resolve } from 'node:path'
import type { KafkaFlags } from '@millwright/gateways/kafka'
import type { Command } from 'commander'
import { askPlant } from '../control/control-client.ts'
import { type FeedbackResult, ingestFeedback } from '../ingest/ingest-feedback.ts'
import { addKafkaFlags, connectionOf } from '../kafka/kafka-flags.ts'
import { openPlant } from '../plant/open-plant.ts'
import { loadProject } from '../project/load-project.ts'
import { totalBytesOf } from '../replay/run-replay.ts'
import { formatCount, type Progress, startProgress } from '../terminal/progress.ts'

const examples = `
Examples:
  millwright feedback my-plant --input verdicts.csv
  millwright feedback --input orders.ndjson --data /var/lib/millwright
  millwright feedback my-plant --input verdicts.csv --kafka 127.0.0.1:9092

A verdict says what a person found: failure-confirmed, missed-failure, false-alarm, unclear; withdrawn takes one back.
docs/guide/feedback.md has the fields. A file may be read again: a verdict is known by its id and revision.`

interface FeedbackFlags extends KafkaFlags {
  readonly input: readonly string[]
  readonly data?: string
  readonly json?: true
}

/** Adds `millwright feedback`: verdicts from files onto `maintenance-feedback`. */
export function addCommand(program: Command): void {
  addKafkaFlags(program.command('feedback'))
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .description('Read verdicts from files: what people found, on alerts and on failures that were missed.')
    .requiredOption('--input <file...>', 'NDJSON or CSV, plain or .gz; read in this order')
    .option('--data <dir>', 'data folder (default: data, in the project)')
    .option('--json', 'print the result as JSON on stdout')
    .addHelpText('after', examples)
    .action(feedback)
}

async function feedback(projectPath: string, flags: FeedbackFlags): Promise<void> {
  const project = await loadProject(projectPath)
  const connection = await connectionOf(flags, { '--data': flags.data })
  const files = flags.input.map((file) => resolve(file))
  const progress = startProgress('feedback', totalBytesOf(files))
  let result: FeedbackResult
  try {
    if (connection !== null) {
      const { KafkaFeedback } = await import('@millwright/gateways/kafka')
      const port = await KafkaFeedback.open(connection)
      try {
        result = await ingestFeedback({ plan: project.plan, feedback: port, files, onProgress: progress.update })
      } finally {
        await port.close()
      }
    } else {
      const dataDirectory = flags.data ?? join(project.directory, 'data')
      const answer = await askPlant(dataDirectory, { kind: 'feedback', files }, progress.update)
      result =
        answer === null
          ? await intoStopped({ project, dataDirectory, workerCount: 1 }, files, progress)
          : (answer.result as FeedbackResult)
    }
  } finally {
    progress.stop()
  }
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ project: project.plan.name, ...result })}\n`)
    return
  }
  for (const { file, line, reason, message } of result.refusals)
    process.stderr.write(`${file}:${line}: ${reason}: ${message}\n`)
  process.stdout.write(
    `${formatCount(result.accepted)} verdicts taken, ${formatCount(result.refused)} refused and kept on dead-letters.\n`,
  )
}

async function intoStopped(
  place: Parameters<typeof openPlant>[0],
  files: readonly string[],
  progress: Progress,
): Promise<FeedbackResult> {
  const { engine } = await openPlant(place)
  try {
    return await ingestFeedback({ plan: place.project.plan, feedback: engine, files, onProgress: progress.update })
  } finally {
    await engine.close()
  }
}
