import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * The peers, their generator and their model lie beside the repository, not in it; where they are absent a benchmark
 * says so and leaves them out.
 */

/** The folder of peers, `null` where there is none. */
export function peersFolder(): string | null {
  const folder = join(import.meta.dirname, '../../shared/peers')
  return existsSync(folder) ? folder : null
}

/** A Python with the oracles: MILLWRIGHT_PYTHON, else the repository's own environment; `null` where there is none. */
export function pythonWithOracles(): string | null {
  const named = process.env['MILLWRIGHT_PYTHON']
  if (named !== undefined) return named
  const own = join(import.meta.dirname, '../.venv/bin/python')
  return existsSync(own) ? own : null
}

/**
 * A scratch folder that holds the peers' files, writable, and keeps generated input between runs.
 *
 * @throws When there are no peers.
 */
export function peersScratch(): string {
  const folder = peersFolder()
  if (folder === null) throw new Error('no folder of peers beside the repository')
  const scratch = join(tmpdir(), 'millwright-peers')
  mkdirSync(scratch, { recursive: true })
  for (const name of readdirSync(folder)) {
    if (!name.includes('.') || existsSync(join(scratch, name))) continue
    copyFileSync(join(folder, name), join(scratch, name))
  }
  return scratch
}

/** Makes (or finds) the peers' input of that many lines, by their own generator (Go). @returns Its path. */
export function peersInput(lineCount: number): string {
  const scratch = peersScratch()
  const path = join(scratch, `readings-${lineCount}.ndjson`)
  if (existsSync(path)) return path
  const generator = join(scratch, 'generate')
  if (!existsSync(generator)) run('go', ['build', '-o', generator, '.'], join(peersFolder() ?? '', 'gen'))
  // Made under another name first: a run that was cut short leaves no half file behind.
  run(generator, [String(lineCount), `${path}.part`], scratch)
  run('mv', [`${path}.part`, path], scratch)
  return path
}

/** Makes (or finds) the batch truth of an input: pandas windows, XGBoost probabilities. @returns Its path, a CSV. */
export function peersReference(input: string): string {
  const python = pythonWithOracles()
  if (python === null) throw new Error('no Python with the oracles: CONTRIBUTING.md says how to have one')
  const path = input.replace(/\.ndjson$/, '.reference.csv')
  if (!existsSync(path)) {
    run(python, ['reference.py', input, `${path}.part`], peersScratch())
    run('mv', [`${path}.part`, path], peersScratch())
  }
  return path
}

/** The reference project: the plan that the peers' job is. */
export const referenceProject = join(import.meta.dirname, 'reference-plant')

export const millwright = [process.execPath, join(import.meta.dirname, '../packages/cli/bin/millwright.js')] as const

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
}
