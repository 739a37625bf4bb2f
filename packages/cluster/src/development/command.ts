import { parseArgs } from 'node:util'
import { ConfigurationError, MillwrightError } from '@millwright/core'
import { KafkaAdministration } from '../kafka/administration.ts'
import { topicDefinitions } from '../kafka/topic-definitions.ts'
import { differenceText } from '../kafka/topic-report.ts'
import { defaultCacheFolder } from './artifact-cache.ts'
import { type KafkaVersion, kafkaVersions } from './artifacts.ts'
import { bringUp } from './bring-up.ts'
import type { ClusterSettings, ClusterSwitches } from './cluster-settings.ts'
import { clusterStatus } from './cluster-status.ts'
import { type ProgressReport, streamProgress } from './progress.ts'
import { statusText } from './status-text.ts'
import { takeDown } from './take-down.ts'
import { bootstrapServers } from './views.ts'

const help = `Usage: npm run cluster -- up|down|status [options]

  up       starts three Kafka brokers and Flink, or what is dead of them, waits until they are ready,
           and makes the topics of a plant
  down     ends every process and removes the cluster's data
  status   says what runs where, and what Kafka and Flink say of themselves

  --name NAME               of the cluster; default "development"
  --json                    one JSON document on stdout
  --no-high-availability    (up) no ZooKeeper: quicker, but jobs end with their JobManager
  --secure                  (up) also listeners with SASL/SCRAM and TLS, and Flink's REST by TLS
  --flink KEY=VALUE         (up) a setting of Flink that goes before ours (KEY=: none); may be given often
  --kafka VERSION           (up) brokers of another line; 3.8.1 is the one that is tried
  --keep-data               (down) keep topics, checkpoints and ports for the next up

Example: npm run cluster -- up --no-high-availability
`

const options = {
  name: { type: 'string', default: 'development' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
  'no-high-availability': { type: 'boolean' },
  secure: { type: 'boolean' },
  flink: { type: 'string', multiple: true },
  kafka: { type: 'string' },
  'keep-data': { type: 'boolean', default: false },
} as const

/** Runs the command. @returns 0 done, 1 failed, 2 wrong usage. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await run(args)
  } catch (error) {
    if (!(error instanceof MillwrightError)) throw error
    process.stderr.write(`${error.message}\n`)
    return error instanceof ConfigurationError ? 2 : 1
  }
}

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args)
  const [command, ...rest] = positionals
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const cacheFolder = defaultCacheFolder()
  const progress = streamProgress()
  const { name } = values
  if (rest.length === 0 && command === 'up') {
    const { started, settings } = await bringUp({ cacheFolder, name, progress, switches: switchesOf(values) })
    progress.step(started.length === 0 ? 'Everything was running' : `Started ${started.length} processes`)
    await makeTopics(settings, progress)
    return print(cacheFolder, name, values.json)
  }
  if (rest.length === 0 && command === 'status') return print(cacheFolder, name, values.json)
  if (rest.length === 0 && command === 'down') {
    const stopped = await takeDown({ cacheFolder, name, progress, keepData: values['keep-data'] })
    if (values.json) process.stdout.write(`${JSON.stringify({ name, stopped })}\n`)
    else process.stdout.write(stopped.length === 0 ? `Nothing of "${name}" was running\n` : `"${name}" is down\n`)
    return 0
  }
  process.stderr.write(help)
  return 2
}

function parse(
  args: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new ConfigurationError('Wrong usage:', [
      { field: 'arguments', found: args.join(' '), wanted: (error as Error).message },
    ])
  }
}

function switchesOf(values: {
  'no-high-availability'?: boolean
  secure?: boolean
  flink?: string[]
  kafka?: string
}): Partial<ClusterSwitches> {
  return {
    ...(values['no-high-availability'] === undefined ? {} : { highAvailability: false }),
    ...(values.secure === undefined ? {} : { secure: true }),
    ...(values.flink === undefined ? {} : { flink: Object.fromEntries(values.flink.map(parseSetting)) }),
    ...(values.kafka === undefined ? {} : { kafkaVersion: parseKafkaVersion(values.kafka) }),
  }
}

function parseKafkaVersion(text: string): KafkaVersion {
  const version = kafkaVersions.find((known) => known === text)
  if (version !== undefined) return version
  throw new ConfigurationError('Wrong usage:', [
    { field: '--kafka', found: text, wanted: `one of ${kafkaVersions.join(', ')}` },
  ])
}

function parseSetting(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new ConfigurationError('Wrong usage:', [{ field: '--flink', found: text, wanted: 'KEY=VALUE' }])
  return [text.slice(0, at), text.slice(at + 1)]
}

/** The topics of a plant, so that a client finds them. What differs is told and left: it may be somebody's on purpose. */
async function makeTopics(settings: ClusterSettings, progress: ProgressReport): Promise<void> {
  const administration = new KafkaAdministration({ bootstrapServers: bootstrapServers(settings) })
  try {
    const { created, differences } = await administration.ensureTopics(topicDefinitions())
    if (created.length > 0) progress.step(`Made the topics ${created.join(', ')}`)
    for (const difference of differences) progress.step(differenceText(difference))
  } finally {
    await administration.close()
  }
}

async function print(cacheFolder: string, name: string, json: boolean): Promise<number> {
  const status = await clusterStatus(cacheFolder, name)
  if (status === null) {
    process.stdout.write(json ? 'null\n' : `There is no cluster "${name}"\n`)
    return 1
  }
  process.stdout.write(json ? `${JSON.stringify(status)}\n` : statusText(status))
  return status.processes.every(({ pid }) => pid !== null) ? 0 : 1
}
