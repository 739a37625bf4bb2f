import { ConfigurationError } from '@millwright/core'
import type { Command } from 'commander'
import { modelForReplay } from '../models/model-for-replay.ts'
import { buildOperator } from '../plant/build-operator.ts'
import { loadProject } from '../project/load-project.ts'
import { openOutputFiles } from '../replay/output-files.ts'
import { runReplay, totalBytesOf } from '../replay/run-replay.ts'
import { formatCount, formatSeconds, startProgress } from '../terminal/progress.ts'
import { summaryOf, summaryText } from '../terminal/summary.ts'

const examples = `
Examples:
  millwright replay --input readings.ndjson --out results
  millwright replay my-plant --input jan.csv.gz feb.csv.gz --events log.ndjson --out results --model model.mwmodel`

interface ReplayFlags {
  readonly input: readonly string[]
  readonly events?: readonly string[]
  readonly out: string
  readonly model?: string
  readonly json?: true
}

/** Adds `millwright replay`: files through the pipeline, as fast as they can be read, into files. */
export function addCommand(program: Command): void {
  program
    .command('replay')
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .description('Run files of readings through a project and write what it makes of them.')
    .requiredOption('--input <file...>', 'NDJSON or CSV, plain or .gz; read in this order')
    .option('--events <file...>', 'NDJSON of device events, read before the readings')
    .requiredOption('--out <dir>', 'folder for alert-signals.ndjson, device-features.ndjson, …')
    .option('--model <file>', "a model package or a bare XGBoost file (default: the project's model.mwmodel)")
    .option('--json', 'print the result as JSON on stdout')
    .addHelpText('after', examples)
    .action(replay)
}

async function replay(projectPath: string, flags: ReplayFlags): Promise<void> {
  const { plan, directory } = await loadProject(projectPath)
  if (plan.time.timestamp === 'arrival')
    throw new ConfigurationError(`"${plan.name}" cannot be replayed from a file.`, [
      {
        field: 'time.timestamp',
        found: "'arrival'",
        wanted: "'event', or `millwright ingest`: a file does not say when its readings arrived",
      },
    ])
  const model = modelForReplay(plan, directory, flags.model)
  const events = flags.events ?? []
  const total = totalBytesOf([...events, ...flags.input])
  const files = openOutputFiles(flags.out)
  const operator = buildOperator(plan, files.sink)
  const progress = startProgress('replay', total)
  const startedMs = performance.now()
  try {
    await runReplay({
      plan,
      operator,
      model,
      inputs: flags.input,
      events,
      onProgress: (readBytes, readings) => progress.update(readBytes, readings),
    })
  } finally {
    progress.stop()
    // What was calculated before an error is kept: it says how far it came.
    files.close()
  }
  const seconds = (performance.now() - startedMs) / 1000
  const summary = summaryOf(operator.counters)
  if (flags.json) {
    const scoredBy = model === null ? null : { name: model.name, version: model.version }
    process.stdout.write(
      `${JSON.stringify({ project: plan.name, ...summary, model: scoredBy, seconds, files: files.paths })}\n`,
    )
    return
  }
  process.stdout.write(`${summaryText(summary)}\n`)
  const rate = formatCount(summary.readingsIn / Math.max(seconds, 0.001))
  const scoredBy = model === null ? 'no model: features only' : `model ${model.name} ${model.version}`
  process.stderr.write(
    `${plan.name}, ${scoredBy}, in ${formatSeconds(seconds)} (${rate} readings/s). Results in ${flags.out}\n`,
  )
}
