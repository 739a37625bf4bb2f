import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { ClusterFolder } from './cluster-folder.ts'
import { ClusterStartError } from './errors.ts'
import { lastLines, runningProcess } from './managed-process.ts'
import { loopback } from './ports.ts'
import type { ProcessRole } from './roles.ts'

const pollMs = 250

/**
 * Waits until `isReady` says so, while the processes it hangs on run.
 *
 * @param isReady Answers what is still missing, in a few words, or `null` when all is there. It may throw: not ready yet.
 * @throws {ClusterStartError} When one of the processes ends, or `waitMsMax` is over. The message has its last lines.
 */
export async function waitUntilReady(
  folder: ClusterFolder,
  options: {
    what: string
    roles: readonly ProcessRole[]
    waitMsMax: number
    onWait: (missing: string, waitedMs: number) => void
  },
  isReady: () => Promise<string | null>,
): Promise<void> {
  const startMs = performance.now()
  for (;;) {
    const missing = await isReady().catch(() => 'no answer yet')
    if (missing === null) return
    const ended = options.roles.find((role) => runningProcess(folder, role) === null)
    if (ended !== undefined)
      throw new ClusterStartError(`${ended} ended while ${options.what} started.\n${lastLines(folder, ended)}`, {
        details: { role: ended },
      })
    const waitedMs = performance.now() - startMs
    if (waitedMs > options.waitMsMax)
      throw new ClusterStartError(
        `${options.what} did not become ready in ${Math.round(options.waitMsMax / 1000)} s: ${missing}. Its logs are in ${folder.logs}.`,
        { details: { what: options.what, waitedMs: Math.round(waitedMs) } },
      )
    options.onWait(`${options.what}: ${missing}`, waitedMs)
    await delay(pollMs)
  }
}

const commandMsMax = 2_000

/** Whether somebody listens on a loopback port. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: loopback, port })
    socket.setTimeout(commandMsMax, () => socket.destroy())
    socket.on('connect', () => {
      resolve(true)
      socket.destroy()
    })
    socket.on('error', () => resolve(false))
    socket.on('close', () => resolve(false))
  })
}

/** Asks a ZooKeeper with one of its four-letter commands. @throws When it does not answer within two seconds. */
export function askZookeeper(port: number, command: 'srvr'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: loopback, port })
    let answer = ''
    socket.setTimeout(commandMsMax, () => socket.destroy(new Error('ZooKeeper does not answer')))
    socket.setEncoding('utf8')
    socket.on('connect', () => socket.write(command))
    socket.on('data', (text: string) => {
      answer += text
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
  })
}
