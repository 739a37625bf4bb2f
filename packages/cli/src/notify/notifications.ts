import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { type CaseSource, type Deliveries, readSecrets, startDeliveries } from '@millwright/gateways'
import type { LoadedProject } from '../project/load-project.ts'

/** Where a plant keeps how far its notification channels are. */
export function deliveriesDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'deliveries')
}

/** Where a gateway with `--kafka` does: its topic is another one, and so are the places in it. */
export function kafkaDeliveriesDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'deliveries-kafka')
}

/**
 * Makes what starts the channels of a project. Secrets are read now: a plant does not start for hours and then find that it cannot sign.
 *
 * @throws {ConfigurationError}
 */
export function prepareNotifications(project: LoadedProject): (source: CaseSource, directory: string) => Deliveries {
  const { plan } = project
  const secrets = readSecrets(plan.notify, project.directory)
  return (source, directory) =>
    startDeliveries({
      plan,
      source,
      directory,
      secrets,
      seed: randomInt(2 ** 31),
    })
}
