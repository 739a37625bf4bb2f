import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const main = join(import.meta.dirname, '../../../packages/cli/bin/millwright.js')

/** Runs the command line as a user would. @returns What it prints. @throws With its stderr, where it does not end with 0. */
export async function runMillwright(...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (code !== 0) throw new Error(`millwright ${args.join(' ')}: ${stderr}`)
  return stdout
}
