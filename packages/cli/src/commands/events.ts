import { join } from 'node:path'
import { ConfigurationError } from '@millwright/core'
import type { EventTarget, SharedEvent, WrittenEvent } from '@millwright/gateways'
import type { KafkaFlags } from '@millwright/gateways/kafka'
import type { Command } from 'commander'
import { askPlant } from '../control/control-client.ts'
import { addGatewayFlags, type GatewayClient, type GatewayFlags, gatewayOf } from '../control/gateway-client.ts'
import { addKafkaFlags, connectionOf } from '../kafka/kafka-flags.ts'
import { lineEventsOf } from '../plant/line-events-of.ts'
import { openPlant } from '../plant/open-plant.ts'
import { loadProject } from '../project/load-project.ts'

const examples = `
Examples:
  millwright events send line-stop my-plant --line line-1
  millwright events send line-start my-plant --line line-1 --at 2026-01-05T14:30:00Z
  millwright events send maintenance-begin my-plant --device press-07 press-08
  millwright events send part-changed my-plant --device press-07 --detail '"new bearing"'
  millwright events send line-stop my-plant --line line-1 --kafka k1:9092
  millwright events send line-stop --line line-1 --gateway http://plant.example.org:8420

The lines of a plant, and which types of event mute alerts, stand in its millwright.config.ts; docs/guide/alerts.md explains both.
Who got no answer gives the command again, with --at: the same event of the same time counts once.`

interface EventFlags extends KafkaFlags, GatewayFlags {
  readonly line?: string
  readonly device?: readonly string[]
  readonly at?: string
  readonly detail?: string
  readonly data?: string
  readonly json?: true
}

/** Adds `millwright events`: what happened to machines, told by hand. */
export function addCommand(program: Command): void {
  const events = program
    .command('events')
    .description('Tell what happened to machines: a line stops, maintenance begins, a part was changed.')
    .addHelpText('after', examples)
  addGatewayFlags(addKafkaFlags(events.command('send')))
    .argument('<type>', "the project's word for it, such as line-stop")
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .description('Write one event of each machine of a line, or of the machines named, onto device-events.')
    .option('--line <name>', 'all machines of a line of the project')
    .option('--device <id...>', 'these machines')
    .option('--at <time>', 'when it was, ISO 8601 with a zone (default: now)')
    .option('--detail <json>', 'anything, as JSON')
    .option('--data <dir>', 'data folder (default: data, in the project)')
    .option('--json', 'print what was written as JSON on stdout')
    .action(send)
}

async function send(type: string, projectPath: string, flags: EventFlags): Promise<void> {
  const target = targetOf(flags)
  const event: SharedEvent = { type, timestamp: timeOf(flags.at), detail: detailOf(flags.detail) }
  const gateway = gatewayOf(flags, { '--data': flags.data, '--kafka': flags.kafka })
  const written =
    gateway === null ? await writeHere(projectPath, flags, target, event) : await askGateway(gateway, target, event)
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ ...target, ...written })}\n`)
    return
  }
  const of = 'line' in target ? `${target.line}: ` : ''
  const at = new Date(written.timestamp).toISOString()
  process.stdout.write(
    `${of}${written.type} at ${at} on ${written.devices} machine${written.devices === 1 ? '' : 's'}.\n`,
  )
  if (!written.used)
    process.stderr.write(
      `Neither the alert policy nor a feature of the project looks at events of the type "${written.type}": they change nothing.\n`,
    )
}

/** On Kafka, in the plant that runs, or in the folder of one that does not. */
async function writeHere(
  projectPath: string,
  flags: EventFlags,
  target: EventTarget,
  event: SharedEvent,
): Promise<WrittenEvent> {
  const connection = await connectionOf(flags, { '--data': flags.data })
  const project = await loadProject(projectPath)
  const { plan } = project
  if (connection !== null) {
    const [{ KafkaIngest }, { doorOf }] = await Promise.all([
      import('@millwright/gateways/kafka'),
      import('../kafka/run-on-kafka.ts'),
    ])
    const ingest = await KafkaIngest.open(connection)
    try {
      return await lineEventsOf({ plan, door: doorOf(plan, ingest.partitionCount), ingest }).write(target, event)
    } finally {
      await ingest.close()
    }
  }
  const dataDirectory = flags.data ?? join(project.directory, 'data')
  const answer = await askPlant(dataDirectory, { kind: 'event', target, event })
  if (answer !== null) return answer.result as WrittenEvent
  const { engine, door } = await openPlant({ project, dataDirectory, workerCount: 1 })
  try {
    return await lineEventsOf({ plan, door, ingest: engine }).write(target, event)
  } finally {
    await engine.close()
  }
}

/** Over HTTP. */
async function askGateway(gateway: GatewayClient, target: EventTarget, event: SharedEvent): Promise<WrittenEvent> {
  const answer =
    'line' in target
      ? gateway.post(`api/lines/${encodeURIComponent(target.line)}/events`, event)
      : gateway.post('api/devices/events', { ...target, ...event })
  return (await answer) as WrittenEvent
}

/** @throws {ConfigurationError} Where none or both are said. */
function targetOf({ line, device }: EventFlags): EventTarget {
  if (line !== undefined && device === undefined) return { line }
  if (line === undefined && device !== undefined) return { devices: device }
  throw wrong(
    '--line, --device',
    line === undefined ? 'neither' : 'both',
    'a line of the project, or the ids of machines',
  )
}

/** @throws {ConfigurationError} */
function timeOf(text: string | undefined): number | null {
  if (text === undefined) return null
  const timeMs = /(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(timeMs)) throw wrong('--at', text, 'ISO 8601 with a zone, such as 2026-01-05T14:30:00Z')
  return timeMs
}

/** @throws {ConfigurationError} */
function detailOf(text: string | undefined): unknown {
  if (text === undefined) return null
  try {
    return JSON.parse(text)
  } catch {
    throw wrong('--detail', text, `JSON: a text has quotes of its own, '"new bearing"'`)
  }
}

function wrong(field: string, found: string, wanted: string): ConfigurationError {
  return new ConfigurationError('The event cannot be written.', [{ field, found, wanted }])
}
