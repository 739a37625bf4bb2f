import { commandsBelow, loadProgram } from '../../packages/cli/src/program.ts'
import { shellCommands } from './shell-words.ts'
import type { ShownCode } from './shown-code.ts'

type Program = Awaited<ReturnType<typeof loadProgram>>

/** Says of each call of `millwright` in a piece of code what the program would refuse. */
export type CommandCheck = (code: ShownCode) => Promise<string[]>

/**
 * Makes a check by the program itself: commander reads each call, with nothing behind it. So what is found is what a user would be told:
 * an unknown command or flag, an argument too many, and, of a whole line, one that is missing.
 *
 * A line with an ellipsis leaves things out as a mention does. A mention may begin with the command's name (`models publish`), and its flags may be
 * those of any command of a group that it names (`cases --gateway`). Of prose, only flags and what they belong to are judged.
 */
export async function makeCommandCheck(): Promise<CommandCheck> {
  const strict = await idleProgram()
  const lenient = await idleProgram()
  for (const command of commandsBelow(lenient)) {
    for (const argument of command.registeredArguments) argument.required = false
    for (const option of command.options) {
      option.mandatory = false
      // A flag that wants a value may be named without.
      option.optional = option.required || option.optional
      option.required = false
    }
  }
  return async ({ text, kind }) => {
    const problems: string[] = []
    const calls = shellCommands(text).flatMap((words) => {
      const isNamed = kind === 'mention' && words.length > 1 && belowOf(strict, words[0]) !== undefined
      return isNamed ? [words] : argumentsOf(words)
    })
    for (const words of calls.flatMap(alternatives)) {
      const said = kind === 'prose' ? flagsIn(lenient, words) : words.filter((word) => !word.includes('…'))
      const isWhole = kind === 'whole' && said.length === words.length
      const refusal = isWhole ? await refusalOf(strict, said) : await refusalOfAll(lenient, said)
      if (refusal !== null) problems.push(`\`millwright ${said.join(' ')}\`: ${refusal}`)
    }
    return problems
  }
}

/** The program, where each command does nothing and says nothing. */
async function idleProgram(): Promise<Program> {
  const program = await loadProgram()
  const silence = (): void => undefined
  for (const command of [program, ...commandsBelow(program)]) {
    command.configureOutput({ writeOut: silence, writeErr: silence, outputError: silence })
    if (command.commands.length === 0) command.action(silence)
  }
  return program
}

/** What stands before a command in an example: how it is called, words of the shell, a variable for it alone. */
const before = /^(?:npx|exec|sudo|do|then|else|\$|[A-Z_]+=.*)$/

/** What `millwright` is called with, however it is called; none where something else is called. */
function argumentsOf(words: readonly string[]): string[][] {
  const first = words.findIndex((word) => !before.test(word))
  const [name, ...rest] = words.slice(Math.max(0, first))
  if (name === 'millwright') return [rest]
  if (name?.endsWith('node') && rest[0]?.endsWith('packages/cli/bin/millwright.js')) return [rest.slice(1)]
  const own = rest.indexOf('--')
  return name === 'npm' && own > 0 && rest.slice(0, own).includes('millwright') ? [rest.slice(own + 1)] : []
}

/** A call for each of the words that are given to choose from: `topics list|tail`. */
function alternatives(words: readonly string[]): string[][] {
  const at = words.findIndex((word) => /^[a-z-]+(?:\|[a-z-]+)+$/.test(word))
  if (at < 0) return [[...words]]
  return (words[at] ?? '').split('|').flatMap((word) => alternatives(words.with(at, word)))
}

/** Of words that run into prose: the command they begin with, and every flag. */
function flagsIn(program: Program, words: readonly string[]): string[] {
  const path: string[] = []
  for (let command = belowOf(program, words[0]); command !== undefined; command = belowOf(command, words[path.length]))
    path.push(command.name())
  return path.length === 0 ? [] : [...path, ...words.filter((word) => /^--[a-z]/.test(word))]
}

function belowOf(command: Program, name: string | undefined): Program | undefined {
  return command.commands.find((below) => below.name() === name)
}

/** As `refusalOf`; where flags follow a group of commands, only what each of these refuses. */
async function refusalOfAll(program: Program, words: readonly string[]): Promise<string | null> {
  const refusal = await refusalOf(program, words)
  if (refusal === null || !(words[1] ?? '').startsWith('-')) return refusal
  for (const below of belowOf(program, words[0])?.commands ?? [])
    if ((await refusalOf(program, words.toSpliced(1, 0, below.name()))) === null) return null
  return refusal
}

/** What the program says against a call; `null` where it takes it, and where it answers with help. */
async function refusalOf(program: Program, words: readonly string[]): Promise<string | null> {
  try {
    await program.parseAsync([...words], { from: 'user' })
    return null
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string }
    if (typeof code !== 'string' || !code.startsWith('commander.')) throw error
    return /^commander\.(?:help|helpDisplayed|version)$/.test(code) ? null : message.replace(/^error: /, '')
  }
}
