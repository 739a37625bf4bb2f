import type { Command } from 'commander'
import { guessedConfig, templateConfig } from '../init/config-text.ts'
import { guessProject } from '../init/guess-project.ts'
import { guessText } from '../init/guess-text.ts'
import { plantNameOf, requireFree, writeProject } from '../init/project-files.ts'
import { readmeText } from '../init/readme-text.ts'
import { loadProject } from '../project/load-project.ts'

const examples = `
Examples:
  millwright init my-plant
  millwright init my-plant --from readings.csv.gz`

interface InitFlags {
  readonly from?: string
  readonly force?: true
  readonly json?: true
}

/** Adds `millwright init`: a new project, guessed from a sample of readings where there is one. */
export function addCommand(program: Command): void {
  program
    .command('init')
    .argument('<dir>', 'folder of the new project')
    .description('Write a new project; with a sample of readings, one that fits it and runs at once.')
    .option('--from <file>', 'sample: NDJSON or CSV, plain or .gz; channels, units and ranges are guessed from it')
    .option('--force', 'write into a folder that is not empty, over files of the same names')
    .option('--json', 'print the result as JSON on stdout')
    .addHelpText('after', examples)
    .action(init)
}

async function init(directory: string, flags: InitFlags): Promise<void> {
  requireFree(directory, flags.force === true)
  const name = plantNameOf(directory)
  const guess = flags.from === undefined ? null : await guessProject(flags.from)
  const config = guess === null ? templateConfig(name) : guessedConfig(name, guess)
  const files = writeProject(directory, { name, config, readme: readmeText(name, guess) })
  // What was written must run; if it does not, better here than at the user's first try.
  await loadProject(directory)
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ directory, name, files, guess })}\n`)
    return
  }
  if (guess !== null) process.stdout.write(`${guessText(guess)}\n\n`)
  process.stdout.write(`${howToRun(directory, flags.from ?? 'readings.ndjson')}\n`)
}

function howToRun(directory: string, sample: string): string {
  const quoted = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`)
  return [
    `The project is in ${directory}. Next:`,
    `  millwright replay ${quoted(directory)} --input ${quoted(sample)} --out ${quoted(`${directory}/out`)}`,
    `  millwright run ${quoted(directory)}`,
  ].join('\n')
}
