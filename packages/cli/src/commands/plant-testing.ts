import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type CommandResult, main, textOf } from './command-testing.ts'

/** A `millwright run` that listens. */
export interface RunningPlant {
  readonly url: string
  readonly process: ChildProcess
  /** Ends it with SIGTERM. */
  stop(): Promise<CommandResult>
  /** Resolves with how it ended, of itself or by a signal. */
  readonly ended: Promise<CommandResult>
}

/** Starts a plant on a free port; resolves when it waits for readings, its `--input` read. @throws When it ends before. */
export type StartPlant = (...args: readonly string[]) => Promise<RunningPlant>

/**
 * Returns a {@link StartPlant} whose plants are killed at some moment, also those that a failed test left or still waits for.
 *
 * @param atEnd Calls what it is given at that moment: the test runner's `onTestFinished`.
 */
export function plantsUntil(atEnd: (end: () => void) => void): StartPlant {
  return (...args) => {
    const child = spawnPlant(args)
    atEnd(() => void child.kill('SIGKILL'))
    return listening(child)
  }
}

/** A {@link StartPlant} for a whole file: who starts it ends it. */
export const startSharedPlant: StartPlant = (...args) => listening(spawnPlant(args))

type PlantChild = ReturnType<typeof spawnPlant>

function spawnPlant(args: readonly string[]) {
  return spawn(process.execPath, [main, 'run', '--port', '0', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

async function listening(child: PlantChild): Promise<RunningPlant> {
  const ended = Promise.all([textOf(child.stdout), textOf(child.stderr), once(child, 'close')]).then(
    ([stdout, stderr, [code]]): CommandResult => ({ code: code as number | null, stdout, stderr }),
  )
  // A test may end before it asks; what a stream throws that a test closed is its own doing.
  ended.catch(() => undefined)
  const url = await new Promise<string>((resolve, reject) => {
    let said = ''
    child.stderr.on('data', (text: string) => {
      said += text
      const match = /takes readings at (\S+)\/api\/readings/.exec(said)
      if (match?.[1] !== undefined && said.includes('Waiting for readings')) resolve(match[1])
    })
    child.once('exit', (code) => reject(new Error(`the plant ended with ${code}: ${said}`)))
  })
  return {
    url,
    process: child,
    ended,
    async stop() {
      child.kill('SIGTERM')
      return await ended
    },
  }
}
