import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { type AlertSignal, ConfigurationError, isHeartbeatRecord } from '@millwright/core'
import { NodeDisk, readEngineInfo, seemsRunning } from '@millwright/engine'
import {
  type Deliveries,
  type DeliveryStatus,
  type HttpGateway,
  type ListenOptions,
  requireListenable,
  startHttpGateway,
} from '@millwright/gateways'
import type { KafkaConnection, KafkaFlags } from '@millwright/gateways/kafka'
import type { Command } from 'commander'
import { folderTopics } from '../cases/case-topics.ts'
import { PlantCases } from '../cases/plant-cases.ts'
import { startControlServer } from '../control/control-server.ts'
import { Heartbeat } from '../heartbeat/heartbeat.ts'
import { ingestFiles } from '../ingest/ingest-files.ts'
import { addKafkaFlags, connectionOf } from '../kafka/kafka-flags.ts'
import type { Say } from '../log/log-codes.ts'
import { PlantChanges, watchChanges } from '../log/plant-changes.ts'
import { type LogFormat, PlantLog } from '../log/plant-log.ts'
import { sayFailed } from '../log/say-failed.ts'
import { deliveryMetrics } from '../notify/delivery-metrics.ts'
import { deliveriesDirectory, kafkaDeliveriesDirectory, prepareNotifications } from '../notify/notifications.ts'
import { topicCases } from '../notify/topic-cases.ts'
import { alertFeedOf } from '../plant/alert-feed.ts'
import { gatewayGauges, gatewayHistograms } from '../plant/common-metrics.ts'
import { controlHandlerOf } from '../plant/control-handler.ts'
import { hasFittingModel, publishFirstModel } from '../plant/first-model.ts'
import { lineEventsOf } from '../plant/line-events-of.ts'
import { PlantMetrics } from '../plant/metrics.ts'
import { modelDeskOf } from '../plant/model-desk.ts'
import { type OpenPlant, openPlant } from '../plant/open-plant.ts'
import { PlantObserver } from '../plant/plant-status.ts'
import { recoveryText } from '../plant/recovery-text.ts'
import { openSinks } from '../plant/sinks.ts'
import { verdictsUntilMs } from '../plant/verdicts-until.ts'
import { type LoadedProject, loadProject } from '../project/load-project.ts'
import { totalBytesOf } from '../replay/run-replay.ts'
import { wholeNumber } from '../terminal/arguments.ts'
import { formatCount, startProgress } from '../terminal/progress.ts'
import { summaryOf, summaryText } from '../terminal/summary.ts'
import { watchedPlant } from '../watch/topics-watch.ts'
import { watchMetrics } from '../watch/watch-metrics.ts'
import { kafkaWatchFolder } from '../watch/watch-state-file.ts'
import { Watcher } from '../watch/watcher.ts'

const examples = `
Examples:
  millwright run my-plant
  millwright run my-plant --data /var/lib/millwright --port 9000
  millwright run --input history.ndjson.gz
  millwright run my-plant --kafka k1:9093,k2:9093 --kafka-user plant --kafka-password-file /etc/millwright/kafka --kafka-ca ca.pem

With --kafka gateways, status page and watcher run here: the operators are on Flink (millwright deploy). The data folder then
has only what the watcher knows.`

interface RunFlags extends KafkaFlags {
  readonly data?: string
  readonly host: string
  readonly port: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly insecure?: true
  readonly hostName?: readonly string[]
  readonly workers?: string
  readonly input?: readonly string[]
  readonly watch: boolean
  readonly logFormat: string
}

/** Requests in flight get so long when the plant stops; the engine then has the rest of five seconds. */
const closeGraceMs = 400

/** Adds `millwright run`: the plant, until it is told to stop. */
export function addCommand(program: Command): void {
  addKafkaFlags(program.command('run'))
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .description('Run a plant: take readings in, score them, and tell of machines at risk, until SIGTERM or Ctrl-C.')
    .option('--data <dir>', 'data folder (default: data, in the project)')
    .option('--port <n>', 'HTTP port; 0 for any that is free', '8420')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--tls-cert <file>', 'PEM certificate, to listen on other addresses')
    .option('--tls-key <file>', 'PEM key of the certificate')
    .option('--insecure', 'listen on other addresses without TLS')
    .option('--host-name <name...>', 'further names by which clients call the plant')
    .option('--workers <n>', 'threads for the operators (default: one per core but one)')
    .option('--input <file...>', 'files to read first; what was read before is not read again')
    .option('--no-watch', 'do not watch the model: no verdicts, drift or data quality in the metrics')
    .option('--log-format <format>', 'how messages are written to stderr: text or json', 'text')
    .addHelpText('after', examples)
    .action(run)
}

async function run(projectPath: string, flags: RunFlags): Promise<void> {
  const write = (lines: string): void => void process.stderr.write(lines)
  const log = new PlantLog({ format: logFormatOf(flags.logFormat), write, elapsedMs: () => performance.now() })
  try {
    await runPlant(projectPath, flags, log.say)
  } finally {
    log.close()
  }
}

async function runPlant(projectPath: string, flags: RunFlags, say: Say): Promise<void> {
  const connection = await connectionOf(flags, { '--workers': flags.workers })
  const project = await loadProject(projectPath)
  if (connection !== null) return runGateways(project, connection, flags, say)
  const dataDirectory = flags.data ?? join(project.directory, 'data')
  const port = wholeNumber('--port', flags.port, 0, 65_535)
  const workerCount =
    flags.workers === undefined
      ? Math.max(1, availableParallelism() - 1)
      : wholeNumber('--workers', flags.workers, 1, 64)
  // Before anything is opened or made.
  const inputBytes = totalBytesOf(flags.input ?? [])
  const listening = listenOptionsOf(port, flags)
  await checkListening(listening, dataDirectory)
  const startNotifications = prepareNotifications(project)
  const stop = new AbortController()
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()))
  let failure: Error | null = null
  // A plant does not stop because nobody reads along any more: the terminal was closed, or `| head` has enough.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  process.once('SIGTERM', () => stop.abort()).once('SIGINT', () => stop.abort())
  const plant = await openPlant({
    project,
    dataDirectory,
    workerCount,
    onFailure: (error) => {
      failure = error
      stop.abort()
    },
  })
  try {
    const found = recoveryText(plant.engine.recovery)
    if (found !== null) say('PLANT_RECOVERED', found)
    const deliveries = startNotifications(topicCases(dataDirectory), deliveriesDirectory(dataDirectory))
    try {
      const { signal } = stop
      await serve({ project, plant, deliveries, dataDirectory, listening, flags, inputBytes, signal, stopped, say })
    } finally {
      await deliveries.close()
    }
  } finally {
    await plant.engine.close()
  }
  if (failure !== null) throw failure
  say('PLANT_STOPPED', 'Stopped. Everything that was acknowledged is on disk.')
}

/** With `--kafka`: everything but the operators. */
async function runGateways(
  project: LoadedProject,
  connection: KafkaConnection,
  flags: RunFlags,
  say: Say,
): Promise<void> {
  const { runOnKafka } = await import('../kafka/run-on-kafka.ts')
  const stop = new AbortController()
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()))
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  process.once('SIGTERM', () => stop.abort()).once('SIGINT', () => stop.abort())
  const files = flags.input ?? []
  await runOnKafka({
    project,
    connection,
    listening: listenOptionsOf(wholeNumber('--port', flags.port, 0, 65_535), flags),
    hostNames: flags.hostName ?? [],
    files,
    fileBytes: totalBytesOf(files),
    deliveriesFolder: kafkaDeliveriesDirectory(flags.data ?? join(project.directory, 'data')),
    watchFolder: flags.watch ? kafkaWatchFolder(flags.data ?? join(project.directory, 'data')) : null,
    signal: stop.signal,
    stopped,
    say,
  })
  say('PLANT_STOPPED', 'Stopped. Everything that was acknowledged is on Kafka.')
}

async function serve(options: {
  readonly project: LoadedProject
  readonly plant: OpenPlant
  readonly deliveries: Deliveries
  readonly dataDirectory: string
  readonly listening: ListenOptions
  readonly flags: RunFlags
  readonly inputBytes: number
  readonly signal: AbortSignal
  readonly stopped: Promise<void>
  readonly say: Say
}): Promise<void> {
  const { project, plant, deliveries, dataDirectory, listening, flags, inputBytes, signal, stopped, say } = options
  const { engine, plan, door, judge } = plant
  const observer = new PlantObserver(plan, engine, judge)
  // While files are read, alerts are printed above the progress bar.
  let print = (text: string): void => void process.stdout.write(`${text}\n`)
  const complain = (text: string): void => say('ALERT_FILE_FAILED', text)
  const sinks = openSinks(plan, dataDirectory, (text) => print(text), complain)
  engine.subscribe('alert-signals', ({ value }) => {
    // Most windows are normal: they are not worth parsing.
    if (!value.includes('"status":"High risk of failure"') || isHeartbeatRecord(value)) return
    const alert = JSON.parse(value) as AlertSignal
    observer.onHighRisk(alert)
    sinks.send(alert, value)
  })
  const first = await publishFirstModel(engine, project, judge)
  if (first !== null) say('MODEL_IN_FORCE', `Model ${first.name} ${first.version} is in force.`, first)
  else if (plan.model !== null && !hasFittingModel(engine, judge))
    say(
      'MODEL_MISSING',
      `No model of ${plan.model.name} is in force: windows get features and no score until one is published.`,
    )
  const changes = new PlantChanges(
    say,
    first === null ? (observer.status().model?.activeFrom ?? -Infinity) : Date.now(),
  )
  let watcher: Watcher | null = null
  const cases = flags.watch
    ? new PlantCases({
        store: engine,
        plan,
        read: folderTopics(dataDirectory, plan.partitionCount),
        hurry: () => watcher?.hurry(),
        watcher: () => watcher,
        logTimeMs: () => logTimeMs(engine),
      })
    : null
  const closeControl = await startControlServer(
    dataDirectory,
    controlHandlerOf(plant, { cases, deliveries, lineEvents: lineEventsOf({ plan, door, ingest: engine }) }),
  )
  const endLooking = watchChanges(changes, async () => ({
    stalled: observer.stalled(),
    channels: await deliveries.status(),
    model: observer.status().model,
  }))
  let gateway: HttpGateway | null = null
  const heartbeat = heartbeatOf(plant)
  let stopHeartbeat: (() => Promise<void>) | null = null
  if (cases !== null)
    watcher = new Watcher({ plant: watchedPlant(plan), of: { kind: 'folder', dataDirectory } }, cases, say)
  try {
    gateway = await listen({
      plant,
      observer,
      watcher,
      cases,
      heartbeat,
      deliveries,
      dataDirectory,
      listening,
      flags,
      say,
    })
    engine.setHttpPort(gateway.port)
    stopHeartbeat = heartbeat?.start() ?? null
    say('PLANT_LISTENS', `${plan.name} takes readings at ${gateway.url}/api/readings. Status page: ${gateway.url}/`, {
      url: gateway.url,
    })
    if (flags.input !== undefined) {
      const progress = startProgress('ingest', inputBytes)
      print = (text) => progress.log(text)
      try {
        await readFirst({ plan, door, engine, files: flags.input, signal, update: progress.update, say })
      } finally {
        progress.stop()
        print = (text) => void process.stdout.write(`${text}\n`)
      }
      const summary = summaryOf(engine.stats().counters)
      if (!signal.aborted) say('FILES_READ', summaryText(summary), { summary })
    }
    if (!signal.aborted) say('PLANT_READY', whereEverythingIs(dataDirectory, gateway.url))
    await stopped
  } finally {
    endLooking()
    await gateway?.close()
    await stopHeartbeat?.()
    await watcher?.stop()
    await closeControl()
    sinks.close()
  }
}

/** The heartbeat of a project that wants one, told of its results. */
function heartbeatOf({ plan, door, engine }: OpenPlant): Heartbeat | null {
  if (plan.heartbeat === null) return null
  const way = { plan, door, ingest: engine, nowMs: () => Date.now(), elapsedMs: () => performance.now() }
  const heartbeat = new Heartbeat(way, plan.heartbeat.intervalMs)
  const results = plan.model === null ? 'device-features' : 'alert-signals'
  engine.subscribe(results, ({ value }) => heartbeat.onResult(value))
  return heartbeat
}

async function readFirst(options: {
  readonly plan: OpenPlant['plan']
  readonly door: OpenPlant['door']
  readonly engine: OpenPlant['engine']
  readonly files: readonly string[]
  readonly signal: AbortSignal
  readonly update: (readBytes: number, lines: number) => void
  readonly say: Say
}): Promise<void> {
  const { plan, door, engine, files, signal, update, say } = options
  try {
    const result = await ingestFiles({ plan, door, ingest: engine, files, signal, onProgress: update })
    if (signal.aborted) return
    await engine.drained()
    for (const { file, fromPosition } of result.resumed)
      say('FILE_RESUMED', `${file} was read before, up to byte ${formatCount(fromPosition)}: went on from there.`, {
        file,
        fromPosition,
      })
  } catch (error) {
    // The plant was stopped by itself, and says why where it ends.
    if (!signal.aborted) throw error
  }
}

function listen(options: {
  readonly plant: OpenPlant
  readonly observer: PlantObserver
  readonly watcher: Watcher | null
  readonly heartbeat: Heartbeat | null
  readonly cases: PlantCases | null
  readonly deliveries: Deliveries
  readonly dataDirectory: string
  readonly listening: ListenOptions
  readonly flags: RunFlags
  readonly say: Say
}): Promise<HttpGateway> {
  const { plant, observer, watcher, cases, heartbeat, deliveries, dataDirectory, listening, flags, say } = options
  const { engine, door } = plant
  let gateway: HttpGateway | null = null
  let channels: readonly DeliveryStatus[] = []
  const metrics = new PlantMetrics({
    counters: () => ({ ...engine.stats().counters, ...gateway?.counters() }),
    gauges: () => [
      ...observer.gauges(),
      ...(gateway === null ? [] : gatewayGauges(gateway.stats())),
      ...(heartbeat?.gauges() ?? []),
      ...(watcher === null ? [] : watchMetrics(watcher, logTimeMs(engine))),
      ...deliveryMetrics(channels, Date.now()),
    ],
    histograms: () => [
      ...observer.histograms(),
      ...(gateway === null ? [] : gatewayHistograms(gateway.stats())),
      ...(heartbeat?.histograms() ?? []),
    ],
  })
  return startHttpGateway({
    ...listening,
    hostNames: flags.hostName ?? [],
    door,
    ingest: engine,
    feedback: engine,
    verdictsUntilMs: () => verdictsUntilMs(plant.plan),
    plant: {
      notReady: () => observer.notReady(),
      metrics: async () => {
        channels = await deliveries.status()
        return await metrics.render()
      },
      status: () => observer.status(),
      model: () => watcher?.report ?? null,
    },
    alerts: alertFeedOf(engine, dataDirectory),
    models: modelDeskOf(engine, plant.judge),
    cases,
    deliveries,
    lineEvents: lineEventsOf({ plan: plant.plan, door, ingest: engine }),
    closeGraceMs,
    onError: (error, where) => sayFailed(say, error, where),
  }).then((started) => {
    gateway = started
    return started
  })
}

/** Append time of the newest record in the log, epoch milliseconds. */
function logTimeMs(engine: OpenPlant['engine']): number {
  return Math.max(...engine.stats().partitions.map(({ appendTimeMs }) => appendTimeMs))
}

/** @throws {ConfigurationError} As {@link tlsOf}. */
function listenOptionsOf(port: number, flags: RunFlags): ListenOptions {
  const tls = tlsOf(flags)
  return { host: flags.host, port, ...(tls === null ? {} : { tls }), insecure: flags.insecure ?? false }
}

/** @throws {ConfigurationError} When the plant cannot listen there, unless a plant on this folder may be why: the store says that better. */
async function checkListening(listening: ListenOptions, dataDirectory: string): Promise<void> {
  try {
    await requireListenable(listening)
  } catch (error) {
    const running = readEngineInfo(new NodeDisk(), dataDirectory)
    if (running === null || !seemsRunning(running)) throw error
  }
}

/** @throws {ConfigurationError} When one of the two is missing: whoever names a certificate does not want to go without. */
function tlsOf({ tlsCert, tlsKey }: RunFlags): { readonly cert: Buffer; readonly key: Buffer } | null {
  if (tlsCert === undefined && tlsKey === undefined) return null
  const read = (field: string, path: string | undefined): Buffer => {
    try {
      if (path !== undefined) return readFileSync(path)
    } catch (error) {
      throw tlsProblem(field, error instanceof Error ? error.message : String(error), error)
    }
    throw tlsProblem(field, 'nothing')
  }
  return { cert: read('--tls-cert', tlsCert), key: read('--tls-key', tlsKey) }
}

function tlsProblem(field: string, found: string, cause?: unknown): ConfigurationError {
  const wanted = 'a PEM file: TLS needs both, a certificate and its key'
  return new ConfigurationError('The plant cannot listen with TLS.', [{ field, found, wanted }], cause)
}

function whereEverythingIs(dataDirectory: string, url: string): string {
  const folder = relative('', dataDirectory) || '.'
  return [
    `Readings, alerts and everything else are in ${folder}. Look with:`,
    `  npx millwright topics tail alert-signals --data ${folder}`,
    `  curl --data-binary @readings.ndjson -H 'content-type: application/x-ndjson' ${url}/api/readings`,
    `  ${url}/  (status)   ${url}/metrics  (Prometheus)`,
    'Waiting for readings. Ctrl-C stops.',
  ].join('\n')
}

/** @throws {ConfigurationError} */
function logFormatOf(found: string): LogFormat {
  if (found === 'text' || found === 'json') return found
  throw new ConfigurationError('The plant cannot be run.', [{ field: '--log-format', found, wanted: 'text or json' }])
}
