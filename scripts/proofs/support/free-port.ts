import { chooseFreePorts } from '../../../packages/cluster/src/development/ports.ts'

/**
 * A loopback port that nobody listens at now, and that no client's connection is given: whoever ends there and comes back finds it free.
 */
export async function freePort(): Promise<number> {
  const [port] = await chooseFreePorts(1, new Set())
  return port as number
}
