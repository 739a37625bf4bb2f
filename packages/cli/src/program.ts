import { Command } from 'commander'
import { release } from './installation.ts'

interface CommandFile {
  addCommand(program: Command): void
}

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

/**
 * Builds the command line and runs none of it. Only the file of the command that is asked for is loaded: an edge box starts in
 * well under a second. The program throws commander's `CommanderError` where it would end the process.
 *
 * @param asked First argument of the call; where it names no command, or there is none, all of them are loaded.
 */
export async function loadProgram(asked?: string): Promise<Command> {
  const program = new Command('millwright')
    .description('On-premises stream intelligence: sensor readings in, failure alerts out, nothing leaves the site.')
    .version(release)
    .exitOverride()
    .showHelpAfterError('(millwright --help lists the commands)')
  const names = asked !== undefined && Object.hasOwn(commandFiles, asked) ? [asked] : Object.keys(commandFiles)
  for (const name of names) (await commandFiles[name]?.())?.addCommand(program)
  for (const command of commandsBelow(program)) command.showHelpAfterError(`(${pathOf(command)} --help says more)`)
  return program
}

/** Every command of a program and theirs, each before what is below it; without the program itself. */
export function* commandsBelow(parent: Command): Generator<Command> {
  for (const command of parent.commands) {
    yield command
    yield* commandsBelow(command)
  }
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}
