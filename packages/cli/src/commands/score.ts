import { statSync } from 'node:fs'
import { ConfigurationError } from '@millwright/core'
import type { Command } from 'commander'
import { readModelFile } from '../models/model-for-replay.ts'
import { readRows } from '../score/read-rows.ts'
import { fileOutput, stdoutOutput } from '../score/row-output.ts'
import { type ScoreOutput, scoreBatch } from '../score/score-batch.ts'
import { loadScoringModel } from '../score/scoring-model.ts'
import { wholeNumber } from '../terminal/arguments.ts'
import { formatCount, formatSeconds, startProgress } from '../terminal/progress.ts'

const examples = `
Examples:
  millwright score --model model.ubj --input rows.ndjson
  millwright score --model model.mwmodel --input features.csv.gz --out probabilities.ndjson --json
  echo '[0.4, null, 3.9]' > row.ndjson && millwright score --model model.json --input row.ndjson --contributions

A row is a JSON array in the model's order (null is missing), a JSON object by feature name, or a row of a CSV file whose header
names the features. Each gives one line: a number, or an array where the model has several outputs.`

interface ScoreFlags {
  readonly model: string
  readonly input: string
  readonly out?: string
  readonly margin?: true
  readonly contributions?: true
  readonly iterations?: string
  readonly json?: true
}

/** Adds `millwright score`: batch scoring with any XGBoost file or model package, bit-equal to XGBoost's own `predict`. */
export function addCommand(program: Command): void {
  program
    .command('score')
    .description('Score rows with an XGBoost file or a model package, bit-equal to XGBoost.')
    .requiredOption('--model <file>', 'XGBoost .json or .ubj, or a model package')
    .requiredOption('--input <file>', 'rows: NDJSON, CSV, or either as .gz')
    .option('--out <file>', 'write here instead of to stdout')
    .option('--margin', 'the margin (log-odds of a binary model) instead of the prediction')
    .option('--contributions', 'what each feature adds to the margin (TreeSHAP), and last the bias')
    .option('--iterations <n>', 'score with the first n iterations only (default: all)')
    .option('--json', 'print the result as JSON on stdout; needs --out')
    .addHelpText('after', examples)
    .action(score)
}

async function score(flags: ScoreFlags): Promise<void> {
  const output = outputOf(flags)
  const iterations = flags.iterations
  const iterationEnd = iterations === undefined ? null : wholeNumber('--iterations', iterations, 1, 1_000_000)
  const model = loadScoringModel(readModelFile(flags.model), iterationEnd)
  if (model.note !== null) process.stderr.write(`${model.note}\n`)
  const startedMs = performance.now()
  const progress = startProgress('score', statSync(flags.input, { throwIfNoEntry: false })?.size ?? 0)
  let rowCount = 0
  const out = flags.out === undefined ? stdoutOutput() : fileOutput(flags.out)
  try {
    for await (const batch of readRows(flags.input, model.shape, (readBytes) => progress.update(readBytes, rowCount))) {
      await out.write(scoreBatch(model.scorer, batch, output))
      rowCount += batch.rowCount
    }
    out.finish()
  } catch (error) {
    out.abandon()
    throw error
  } finally {
    progress.stop()
  }
  const seconds = (performance.now() - startedMs) / 1000
  if (flags.json) {
    const { kind, name, version, shape } = model
    const about = { kind, name, version, featureCount: shape.featureCount }
    process.stdout.write(`${JSON.stringify({ rows: rowCount, output, model: about, out: flags.out, seconds })}\n`)
  } else if (flags.out !== undefined)
    process.stderr.write(`${formatCount(rowCount)} rows in ${formatSeconds(seconds)}. Results in ${flags.out}\n`)
}

function outputOf(flags: ScoreFlags): ScoreOutput {
  if (flags.margin && flags.contributions) throw refuse('--margin', 'with --contributions', 'one of the two')
  if (flags.json && flags.out === undefined)
    throw refuse('--json', 'without --out', 'a file for the rows, as stdout is for the result')
  return flags.contributions ? 'contributions' : flags.margin ? 'margin' : 'prediction'
}

function refuse(field: string, found: string, wanted: string): ConfigurationError {
  return new ConfigurationError('The command cannot run.', [{ field, found, wanted }])
}
