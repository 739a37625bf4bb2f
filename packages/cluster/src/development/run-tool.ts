import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { ArtifactError } from './errors.ts'

/** Lines of a failed tool that are told: the last ones say why. */
const toldLinesMax = 12

/**
 * Runs a program to its end and hands on its lines as they come.
 *
 * @param options.what Completes "Cannot …" where it fails.
 * @returns All it wrote to its standard output.
 * @throws {ArtifactError} When it cannot be started or ends with another code than 0; the message has its last lines.
 */
export async function runTool(
  program: string,
  args: readonly string[],
  options: { what: string; environment?: NodeJS.ProcessEnv; workFolder?: string; onLine?: (line: string) => void },
): Promise<string> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
    cwd: options.workFolder,
  })
  const output: string[] = []
  const last: string[] = []
  const take = (line: string): void => {
    if (line.trim() === '') return
    last.push(line)
    if (last.length > toldLinesMax) last.shift()
    options.onLine?.(line)
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    output.push(line)
    take(line)
  })
  createInterface({ input: child.stderr }).on('line', take)
  const code = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (exitCode, signal) => resolve(exitCode ?? signal ?? 'unknown'))
  })
  if (code !== 0)
    throw new ArtifactError(`Cannot ${options.what}: ${program} ended with ${code}.\n${last.join('\n')}`, {
      details: { program, exitCode: code },
    })
  return output.join('\n')
}
