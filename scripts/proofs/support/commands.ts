import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** The command line in processes of its own, as a user runs it. */

const main = join(import.meta.dirname, '../../../packages/cli/bin/millwright.js')

export interface CommandResult {
  readonly stdout: string
  readonly stderr: string
  /** `null` when a signal ended it. */
  readonly code: number | null
}

/** Runs a command to its end. */
export async function command(...args: readonly string[]): Promise<CommandResult> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([textOf(child.stdout), textOf(child.stderr), once(child, 'close')])
  return { stdout, stderr, code: code as number | null }
}

/** Runs a command that must succeed. @throws With what it said when it does not. */
export async function did(...args: readonly string[]): Promise<CommandResult> {
  const result = await command(...args)
  if (result.code !== 0) throw new Error(`millwright ${args.join(' ')}: ${result.stderr}`)
  return result
}

/** Runs a command that must succeed, with `--json`; returns what it printed. */
export async function told(...args: readonly string[]) {
  return JSON.parse((await did(...args, '--json')).stdout)
}

/** A gateway on Kafka that runs. */
export interface RunningGateway {
  readonly url: string
  /** Ends it as an operator does. */
  stop(): Promise<void>
  kill(): void
}

/** Starts `millwright run` on a free port; resolves when it takes readings. @throws When it ends before. */
export async function startGateway(...args: readonly string[]): Promise<RunningGateway> {
  const child = spawn(process.execPath, [main, 'run', '--port', '0', ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  const url = await new Promise<string>((resolve, reject) => {
    let said = ''
    child.stderr.on('data', (text: Buffer) => {
      said += String(text)
      const match = /takes readings at (\S+)\/api\/readings/.exec(said)
      if (match?.[1] !== undefined) resolve(match[1])
    })
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}: ${said}`)))
  })
  return {
    url,
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

async function textOf(output: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const part of output) text += String(part)
  return text
}
