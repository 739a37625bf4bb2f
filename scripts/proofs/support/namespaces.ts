import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { MadeElsewhere, NotPossibleHere } from './proof.ts'

const insideMark = 'MILLWRIGHT_PROOF_NAMESPACE'

/**
 * Runs this script anew in namespaces of its own (Linux, util-linux), unless it is there already. What is mounted there, and
 * its network, is gone when it ends, however it ends.
 *
 * @param flags Of unshare(1), tried in turn: some need rights that others do not.
 * @throws {MadeElsewhere} When it has ended there.
 * @throws {NotPossibleHere} Where none is permitted.
 */
export async function reenter(flags: readonly (readonly string[])[]): Promise<void> {
  if (process.env[insideMark] !== undefined) return
  const permitted = flags.find((some) => spawnSync('unshare', [...some, 'true']).status === 0)
  if (permitted === undefined)
    throw new NotPossibleHere(`unshare ${flags.map((some) => some.join(' ')).join(' or ')} is not permitted here`)
  const child = spawn('unshare', [...permitted, process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, [insideMark]: permitted.join(' ') },
  })
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
  process.on('SIGTERM', forward).on('SIGINT', forward)
  // Also where this process ends because of its time limit.
  process.once('exit', () => void child.kill('SIGTERM'))
  const [code] = (await once(child, 'exit')) as [number | null]
  process.off('SIGTERM', forward).off('SIGINT', forward)
  throw new MadeElsewhere(code ?? 1)
}

/** Runs a command of the system to its end. @returns Its stderr where it failed, else `null`. */
export function tryCommand(program: string, ...args: readonly string[]): string | null {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  return status === 0 ? null : (error?.message ?? stderr)
}
