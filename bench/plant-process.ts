import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { millwright } from './peers.ts'

/** A plant that runs as its own process, as a user would start it. */
export interface PlantProcess {
  readonly pid: number
  readonly url: string
  readonly process: ChildProcess
  /** Sends SIGTERM and resolves with the seconds it took to end. @throws When it did not end cleanly. */
  stop(): Promise<number>
}

/** Starts `millwright run` on a free port and resolves when it takes readings. @throws With its stderr, where it ends before. */
export async function startPlant(options: {
  readonly project: string
  readonly dataDirectory: string
  readonly args?: readonly string[]
  /** For example `['taskset', '-c', '0']`. */
  readonly wrapper?: readonly string[]
}): Promise<PlantProcess> {
  const command = [
    ...(options.wrapper ?? []),
    ...millwright,
    'run',
    options.project,
    '--data',
    options.dataDirectory,
    '--port',
    '0',
    ...(options.args ?? []),
  ]
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] })
  const said: string[] = []
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line)
      const match = /takes readings at (\S+)\/api\/readings/.exec(line)
      if (match?.[1] !== undefined) resolve(match[1])
    })
    child.once('exit', (code) => reject(new Error(`the plant ended with ${code}: ${said.join('\n')}`)))
  })
  return {
    pid: child.pid ?? 0,
    url,
    process: child,
    async stop() {
      const startedMs = performance.now()
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      const [code] = (await exited) as [number | null]
      if (code !== 0) throw new Error(`the plant ended with ${code}: ${said.slice(-20).join('\n')}`)
      return (performance.now() - startedMs) / 1000
    },
  }
}

/** What `/api/status` answers, as far as benchmarks look at it. */
export interface StatusAnswer {
  readonly counts: { readonly readingsIn: number; readonly windows: number }
  readonly lag: { readonly records: number }
}

export async function statusOf(url: string): Promise<StatusAnswer> {
  return (await (await fetch(`${url}/api/status`)).json()) as StatusAnswer
}

/** Resolves when the plant has processed that many readings; asks now and then. */
export async function processed(url: string, readingCount: number): Promise<void> {
  for (;;) {
    const { counts } = await statusOf(url)
    if (counts.readingsIn >= readingCount) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
