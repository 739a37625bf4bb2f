import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { ClusterStartError } from './errors.ts'

/** The cluster listens on nothing else. */
export const loopback = '127.0.0.1'

/** Below this live the services that a machine is known by. */
const lowestPort = 20_000
const attemptsMax = 2_000

/**
 * Chooses free loopback ports below the range that the system hands out to clients: a port of a dead process of the cluster
 * is not taken by some client's connection before it is started again.
 *
 * @param reserved Ports that others were promised, though they may not listen at the moment.
 * @param random Gives numbers in 0..1; only spreads the choice.
 * @throws {ClusterStartError} When no free ones are found.
 */
export async function chooseFreePorts(
  count: number,
  reserved: ReadonlySet<number>,
  random: () => number = Math.random,
): Promise<number[]> {
  const highestPort = lowestEphemeralPort() - 1
  const held: Server[] = []
  const ports: number[] = []
  const tried = new Set<number>(reserved)
  try {
    for (let attempt = 0; ports.length < count; attempt++) {
      if (attempt >= attemptsMax)
        throw new ClusterStartError(`No ${count} free ports were found in ${lowestPort}–${highestPort}.`)
      const port = lowestPort + Math.floor(random() * (highestPort - lowestPort + 1))
      if (tried.has(port)) continue
      tried.add(port)
      const server = await listen(port)
      if (server === null) continue
      held.push(server)
      ports.push(port)
    }
    return ports
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}

/** Whether a port of the loopback address can be listened on now. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = await listen(port)
  if (server === null) return false
  await new Promise((resolve) => server.close(resolve))
  return true
}

function listen(port: number): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' || error.code === 'EACCES' ? resolve(null) : reject(error),
    )
    server.listen({ port, host: loopback, exclusive: true }, () => resolve(server))
  })
}

function lowestEphemeralPort(): number {
  const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/)
  const lowest = Number(range[0])
  // A machine that hands out low ports leaves us no range of our own: then any will do.
  return lowest > lowestPort + 1_000 ? lowest : 61_000
}
