import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The folder of peers and their input, beside the repository; `null` where there is none. */
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
