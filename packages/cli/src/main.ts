import { Command, CommanderError } from 'commander'
import { release } from './installation.ts'
import { errorText } from './terminal/error-text.ts'

/**
 * The command line, as `bin/millwright.js` starts it. Only the file of the command that is asked for is loaded: an edge box starts in well under a second.
 * Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
 */
type CommandFile = { addCommand(program: Command): void }

const commandFiles: Readonly<Record<string, () => Promise<CommandFile>>> = {
  run: () => import('./commands/run.ts'),
  init: () => import('./commands/init.ts'),
  replay: () => import('./commands/replay.ts'),
  ingest: () => import('./commands/ingest.ts'),
  feedback: () => import('./commands/feedback.ts'),
  events: () => import('./commands/events.ts'),
  deliveries: () => import('./commands/deliveries.ts'),
  notify: () => import('./commands/notify.ts'),
  report: () => import('./commands/report.ts'),
  cases: () => import('./commands/cases.ts'),
  topics: () => import('./commands/topics.ts'),
  score: () => import('./commands/score.ts'),
  models: () => import('./commands/models.ts'),
  simulate: () => import('./commands/simulate.ts'),
  doctor: () => import('./commands/doctor.ts'),
  deploy: () => import('./commands/deploy.ts'),
  status: () => import('./commands/status.ts'),
  scale: () => import('./commands/scale.ts'),
  cancel: () => import('./commands/cancel.ts'),
}

const program = new Command('millwright')
  .description('On-premises stream intelligence: sensor readings in, failure alerts out, nothing leaves the site.')
  .version(release)
  .exitOverride()
  .showHelpAfterError('(millwright --help lists the commands)')

const asked = process.argv[2]
const files = asked !== undefined && asked in commandFiles ? [asked] : Object.keys(commandFiles)
for (const name of files) (await commandFiles[name]?.())?.addCommand(program)

for (const command of commandsBelow(program)) command.showHelpAfterError(`(${pathOf(command)} --help says more)`)

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

function* commandsBelow(parent: Command): Generator<Command> {
  for (const command of parent.commands) {
    yield command
    yield* commandsBelow(command)
  }
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  process.stderr.write(`${error instanceof Error && code === '' ? error.stack : errorText(error)}\n`)
  return code === 'CONFIGURATION' ? 2 : 1
}
