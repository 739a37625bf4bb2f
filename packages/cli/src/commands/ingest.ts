import { join, resolve } from 'node:path'
import type { OperatorCounters } from '@millwright/core'
import type { KafkaConnection, KafkaFlags } from '@millwright/gateways/kafka'
import type { Command } from 'commander'
import { askPlant } from '../control/control-client.ts'
import { type IngestResult, ingestFiles } from '../ingest/ingest-files.ts'
import { addKafkaFlags, connectionOf } from '../kafka/kafka-flags.ts'
import { publishFirstModel } from '../plant/first-model.ts'
import { openPlant } from '../plant/open-plant.ts'
import { type LoadedProject, loadProject } from '../project/load-project.ts'
import { totalBytesOf } from '../replay/run-replay.ts'
import { formatCount, formatSeconds, type Progress, startProgress } from '../terminal/progress.ts'
import { summaryOf, summaryText } from '../terminal/summary.ts'

const examples = `
Examples:
  millwright ingest my-plant --input january.csv.gz february.csv.gz
  millwright ingest --input readings.ndjson --data /var/lib/millwright
  millwright ingest my-plant --input january.csv.gz --kafka 127.0.0.1:9092

Works beside a running plant and without one. Can be stopped and called again: no reading enters twice.`

interface IngestFlags extends KafkaFlags {
  readonly input: readonly string[]
  readonly data?: string
  readonly json?: true
}

/** Adds `millwright ingest`: files into the durable log, and through the engine to its end. */
export function addCommand(program: Command): void {
  addKafkaFlags(program.command('ingest'))
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .description('Read files of readings into the log of a running or stopped plant, each reading once.')
    .requiredOption('--input <file...>', 'NDJSON or CSV, plain or .gz; read in this order')
    .option('--data <dir>', 'data folder (default: data, in the project)')
    .option('--json', 'print the result as JSON on stdout')
    .addHelpText('after', examples)
    .action(ingest)
}

async function ingest(projectPath: string, flags: IngestFlags): Promise<void> {
  const project = await loadProject(projectPath)
  const connection = await connectionOf(flags, { '--data': flags.data })
  if (connection !== null) return ingestOnKafka(project, connection, flags)
  const dataDirectory = flags.data ?? join(project.directory, 'data')
  const files = flags.input.map((file) => resolve(file))
  const progress = startProgress('ingest', totalBytesOf(files))
  const startedMs = performance.now()
  let outcome: IngestOutcome
  try {
    outcome =
      (await ingestIntoRunning(dataDirectory, files, progress)) ??
      (await ingestIntoStopped(project, dataDirectory, files, progress))
  } finally {
    progress.stop()
  }
  const seconds = (performance.now() - startedMs) / 1000
  const { counters, ...result } = outcome
  const summary = summaryOf(counters)
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ project: project.plan.name, ...result, plant: summary, seconds })}\n`)
    return
  }
  for (const { file, fromPosition } of result.resumed)
    process.stderr.write(`${file} was read before, up to byte ${formatCount(fromPosition)}: went on from there.\n`)
  process.stderr.write(
    `${formatCount(result.accepted)} readings and ${formatCount(result.refused)} refused lines are in ${dataDirectory}, in ${formatSeconds(seconds)}. The plant so far:\n`,
  )
  process.stdout.write(`${summaryText(summary)}\n`)
}

async function ingestOnKafka(project: LoadedProject, connection: KafkaConnection, flags: IngestFlags): Promise<void> {
  const { ingestToKafka } = await import('../kafka/run-on-kafka.ts')
  const { plan } = project
  const say = (text: string): void => void process.stderr.write(`${text}\n`)
  const stop = new AbortController()
  process.once('SIGTERM', () => stop.abort()).once('SIGINT', () => stop.abort())
  const progress = startProgress('ingest', totalBytesOf(flags.input))
  const startedMs = performance.now()
  let result: IngestResult
  try {
    const onProgress = progress.update
    result = await ingestToKafka({
      plan,
      connection,
      files: flags.input,
      signal: stop.signal,
      onProgress,
      say: (_, text) => say(text),
    })
  } finally {
    progress.stop()
  }
  const seconds = (performance.now() - startedMs) / 1000
  if (flags.json) process.stdout.write(`${JSON.stringify({ project: plan.name, ...result, seconds })}\n`)
  else
    say(
      `${formatCount(result.accepted)} readings and ${formatCount(result.refused)} refused lines are on Kafka, in ${formatSeconds(seconds)}.`,
    )
}

type IngestOutcome = IngestResult & { readonly counters: OperatorCounters }

async function ingestIntoRunning(
  dataDirectory: string,
  files: readonly string[],
  progress: Progress,
): Promise<IngestOutcome | null> {
  const answer = await askPlant(dataDirectory, { kind: 'ingest', files }, progress.update)
  return answer === null ? null : (answer.result as IngestOutcome)
}

async function ingestIntoStopped(
  project: LoadedProject,
  dataDirectory: string,
  files: readonly string[],
  progress: Progress,
): Promise<IngestOutcome> {
  let failure: Error | null = null
  const stop = new AbortController()
  const onSignal = (): void => stop.abort()
  process.once('SIGTERM', onSignal).once('SIGINT', onSignal)
  const { plan, engine, door, judge } = await openPlant({
    project,
    dataDirectory,
    workerCount: 1,
    onFailure: (error) => {
      failure = error
    },
  })
  try {
    await publishFirstModel(engine, project, judge)
    const result = await ingestFiles({
      plan,
      door,
      ingest: engine,
      files,
      signal: stop.signal,
      onProgress: progress.update,
    })
    await engine.drained()
    return { ...result, counters: engine.stats().counters }
  } catch (error) {
    // Why the plant stopped says more than that it is closed.
    throw failure ?? error
  } finally {
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal)
    await engine.close()
  }
}
