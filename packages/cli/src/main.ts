import { CommanderError } from 'commander'
import { loadProgram } from './program.ts'
import { errorText } from './terminal/error-text.ts'

/**
 * The command line, as `bin/millwright.js` starts it.
 * Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
 */
const program = await loadProgram(process.argv[2])
try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  process.stderr.write(`${error instanceof Error && code === '' ? error.stack : errorText(error)}\n`)
  return code === 'CONFIGURATION' ? 2 : 1
}
