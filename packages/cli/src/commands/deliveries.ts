import { join } from 'node:path'
import { ConfigurationError } from '@millwright/core'
import { type DeliveryStatus, readChannelState } from '@millwright/gateways'
import type { Command } from 'commander'
import { askPlant } from '../control/control-client.ts'
import { addGatewayFlags, type GatewayClient, type GatewayFlags, gatewayOf } from '../control/gateway-client.ts'
import { deliveryText, type StoppedChannel, stoppedText } from '../notify/delivery-text.ts'
import { deliveriesDirectory } from '../notify/notifications.ts'
import { loadProject } from '../project/load-project.ts'

const examples = `
Examples:
  millwright deliveries list my-plant
  millwright deliveries list my-plant --data /var/lib/millwright --json
  millwright deliveries retry maintenance my-plant
  millwright deliveries retry all --gateway http://plant.example.org:8420

A notification that its peer refused for good is parked until it is sent again. docs/guide/notifications.md explains each state.`

interface Flags extends GatewayFlags {
  readonly data?: string
  readonly json?: true
}

/** Adds `millwright deliveries`: how the channels of notifications do, and sending again what was refused. */
export function addCommand(program: Command): void {
  const deliveries = program
    .command('deliveries')
    .description('Say how the channels of notifications do; send again what was refused.')
    .addHelpText('after', examples)
  addGatewayFlags(deliveries.command('list', { isDefault: true }))
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .description('What is pending, delivered, refused and parked, by channel; of a running plant or a stopped one.')
    .option('--data <dir>', 'data folder (default: data, in the project)')
    .option('--json', 'print it as JSON on stdout')
    .action(list)
  addGatewayFlags(deliveries.command('retry'))
    .argument('<channel>', 'name of the channel, or all')
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .description('Have a running plant send again what is parked, and try at once what waits.')
    .option('--data <dir>', 'data folder (default: data, in the project)')
    .option('--json', 'print the result as JSON on stdout')
    .action(retry)
}

async function list(projectPath: string, flags: Flags): Promise<void> {
  const gateway = gatewayOf(flags, { '--data': flags.data })
  if (gateway !== null) {
    const [plant, channels] = [await plantOf(gateway), await channelsOf(gateway)]
    return print(flags, { plant, running: true, channels }, () => deliveryText(channels, Date.now()))
  }
  const { plan, directory } = await loadProject(projectPath)
  const dataDirectory = flags.data ?? join(directory, 'data')
  const answer = await askPlant(dataDirectory, { kind: 'deliveries' })
  if (answer !== null) {
    const channels = answer.result as readonly DeliveryStatus[]
    print(flags, { plant: plan.name, running: true, channels }, () => deliveryText(channels, Date.now()))
    return
  }
  const channels: StoppedChannel[] = []
  for (const { name, kind } of plan.notify) {
    const state = await readChannelState(deliveriesDirectory(dataDirectory), name)
    channels.push({ name, kind, positions: state?.positions ?? null, parked: state?.parked ?? [] })
  }
  print(
    flags,
    { plant: plan.name, running: false, channels },
    () => `${stoppedText(channels)}\nThe plant does not run.`,
  )
}

async function retry(channel: string, projectPath: string, flags: Flags): Promise<void> {
  const gateway = gatewayOf(flags, { '--data': flags.data })
  if (gateway !== null) return retryAt(gateway, channel, flags)
  const { plan, directory } = await loadProject(projectPath)
  const dataDirectory = flags.data ?? join(directory, 'data')
  const answer = await askPlant(dataDirectory, {
    kind: 'retry-deliveries',
    channel: channel === 'all' ? null : channel,
  })
  if (answer === null)
    throw new ConfigurationError('Nothing can be sent again.', [
      {
        field: '--data',
        found: `${dataDirectory}, on which no plant runs`,
        wanted: 'the data folder of a running plant',
      },
    ])
  const { parked } = answer.result as { readonly parked: number }
  print(flags, { plant: plan.name, channel, parked }, () => sentAgainText(parked))
}

async function retryAt(gateway: GatewayClient, channel: string, flags: Flags): Promise<void> {
  const names = channel === 'all' ? (await channelsOf(gateway)).map(({ name }) => name) : [channel]
  let parked = 0
  for (const name of names) {
    const answer = await gateway.post(`api/deliveries/${encodeURIComponent(name)}/retry`)
    parked += (answer as { readonly parked: number }).parked
  }
  print(flags, { plant: await plantOf(gateway), channel, parked }, () => sentAgainText(parked))
}

async function plantOf(gateway: GatewayClient): Promise<string> {
  return ((await gateway.get('api/status')) as { readonly plant: string }).plant
}

async function channelsOf(gateway: GatewayClient): Promise<readonly DeliveryStatus[]> {
  const { channels } = (await gateway.get('api/deliveries')) as { readonly channels: readonly DeliveryStatus[] }
  return channels
}

function sentAgainText(parked: number): string {
  return `${parked} parked notifications are being sent again.`
}

function print(flags: Flags, result: object, text: () => string): void {
  process.stdout.write(`${flags.json ? JSON.stringify(result) : text()}\n`)
}
