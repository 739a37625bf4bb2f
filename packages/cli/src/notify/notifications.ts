import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { type CaseSource, type Deliveries, readSecrets, startDeliveries } from '@millwright/gateways'
import type { LoadedProject } from '../project/load-project.ts'

/** Where a plant keeps how far its channels are. */
export function deliveriesDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'deliveries')
}

/**
 * Makes what starts the channels of a project. Secrets are read now: a plant does not start for hours and then find that it cannot sign.
 *
 * @throws {ConfigurationError}
 */
export function prepareNotifications(
  project: LoadedProject,
): (source: CaseSource, dataDirectory: string) => Deliveries {
  const { plan, directory } = project
  const secrets = readSecrets(plan.notify, directory)
  return (source, dataDirectory) =>
    startDeliveries({
      plan,
      source,
      directory: deliveriesDirectory(dataDirectory),
      secrets,
      seed: randomInt(2 ** 31),
    })
}
