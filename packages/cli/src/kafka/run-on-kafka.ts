import { type AlertSignal, ConfigurationError, isHeartbeatRecord, type Plan, topicNames } from '@millwright/core'
import {
  createDoor,
  type Deliveries,
  type DeliveryStatus,
  type Door,
  type HttpGateway,
  type ListenOptions,
  requireListenable,
  startHttpGateway,
} from '@millwright/gateways'
import {
  GroupOffsets,
  KafkaCaseLog,
  type KafkaConnection,
  KafkaFeedback,
  KafkaFileIngest,
  KafkaIngest,
  openKafkaAlertFeed,
  TopicEnds,
} from '@millwright/gateways/kafka'
import { createReadingDecoder } from '@millwright/operators'
import { kafkaTopics } from '../cases/kafka-case-topics.ts'
import { PlantCases } from '../cases/plant-cases.ts'
import { Heartbeat } from '../heartbeat/heartbeat.ts'
import { ingestFiles } from '../ingest/ingest-files.ts'
import type { Say } from '../log/log-codes.ts'
import { PlantChanges, watchChanges } from '../log/plant-changes.ts'
import { sayFailed } from '../log/say-failed.ts'
import { deliveryMetrics } from '../notify/delivery-metrics.ts'
import { KafkaCases } from '../notify/kafka-cases.ts'
import { prepareNotifications } from '../notify/notifications.ts'
import { gatewayGauges, gatewayHistograms } from '../plant/common-metrics.ts'
import { lineEventsOf } from '../plant/line-events-of.ts'
import { PlantMetrics } from '../plant/metrics.ts'
import { openSinks } from '../plant/sinks.ts'
import { verdictsUntilMs } from '../plant/verdicts-until.ts'
import type { LoadedProject } from '../project/load-project.ts'
import { formatCount, startProgress } from '../terminal/progress.ts'
import { watchedPlant } from '../watch/topics-watch.ts'
import { watchMetrics } from '../watch/watch-metrics.ts'
import { Watcher } from '../watch/watcher.ts'
import { KafkaObserver } from './kafka-observer.ts'
import { KafkaModels } from './model-updates.ts'
import { operatorsGroup, operatorsInputs } from './operators-group.ts'

/** Devices whose partition the door remembers; further ones are looked up anew. */
const doorDevicesMax = 100_000
/** A partition where nothing comes gets an empty record so often: the operators' time goes on by what the topics say. */
const heartbeatMs = 1000
/** Requests in flight get so long when the plant stops. */
const closeGraceMs = 400

/** A door for a plan onto topics of so many partitions. */
export function doorOf(plan: Plan, partitionCount: number): Door {
  const decoder = createReadingDecoder({
    channels: plan.channels.map((channel) => channel.name),
    timestamp: plan.time.timestamp,
    devicesMax: doorDevicesMax,
  })
  return createDoor({ decoder, devicesMax: doorDevicesMax, partitionCount })
}

/**
 * Runs the gateways and the read side of a plant on Kafka, with no engine: readings go to `sensor-data`, alerts come from
 * `alert-signals`, wherever the operators run.
 *
 * @param options.signal Ends it.
 * @throws {ConfigurationError} When it cannot listen there, or the plan asks for what only the embedded engine does.
 * @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError}
 */
export async function runOnKafka(options: {
  readonly project: LoadedProject
  readonly connection: KafkaConnection
  readonly listening: ListenOptions
  readonly hostNames: readonly string[]
  readonly files: readonly string[]
  readonly fileBytes: number
  /** Where it is kept how far notification channels are. */
  readonly deliveriesFolder: string
  /** Where the watcher keeps what it knows; `null`: nothing is watched. */
  readonly watchFolder: string | null
  readonly signal: AbortSignal
  readonly stopped: Promise<void>
  readonly say: Say
}): Promise<void> {
  const { project, connection, listening, signal, stopped, say } = options
  const { plan } = project
  const file = plan.sinks.find((sink) => sink.kind === 'file')
  if (file !== undefined)
    throw new ConfigurationError('This plan cannot run on Kafka.', [
      {
        field: 'sinks',
        found: `a file, ${file.path}`,
        wanted: 'none with --kafka: millwright topics tail alert-signals --kafka … writes one',
      },
    ])
  await requireListenable(listening)
  const startNotifications = prepareNotifications(project)
  const closers: (() => Promise<void>)[] = []
  const opened = async <T extends { close(): Promise<void> }>(opening: Promise<T>): Promise<T> => {
    const part = await opening
    closers.unshift(() => part.close())
    return part
  }
  try {
    const ends = await opened(TopicEnds.open(connection, topicNames))
    const ingest = await opened(KafkaIngest.open(connection))
    const feedback = await opened(KafkaFeedback.open(connection))
    const beating = setInterval(() => void ingest.heartbeat(), heartbeatMs)
    closers.unshift(async () => clearInterval(beating))
    const models = await opened(KafkaModels.open(connection, plan))
    const feed = await opened(openKafkaAlertFeed(connection))
    let deliveries: Deliveries | null = null
    if (plan.notify.length > 0) {
      const source = await opened(KafkaCases.open(connection))
      const started = startNotifications(source, options.deliveriesFolder)
      closers.unshift(() => started.close())
      deliveries = started
    }
    const group = new GroupOffsets(connection, operatorsGroup, operatorsInputs)
    closers.unshift(() => group.close())
    const observer = new KafkaObserver({ plan, ingest, feed, ends, group, models })
    const heartbeat = heartbeatOf(plan, ingest)
    if (heartbeat === null && plan.heartbeat !== null)
      say('HEARTBEAT_OFF', 'The heartbeat does not run: on Kafka it ends at an alert, and this project has no model.')
    let print = (text: string): void => void process.stdout.write(`${text}\n`)
    const sinks = openSinks(plan, '', (text) => print(text))
    feed.subscribe((events) => {
      for (const { line } of events) {
        heartbeat?.onResult(line)
        if (!line.includes('"status":"High risk of failure"') || isHeartbeatRecord(line)) continue
        const alert = JSON.parse(line) as AlertSignal
        observer.onHighRisk(alert)
        sinks.send(alert, line)
      }
    })
    const model = plan.model === null ? null : await models.inForce()
    if (plan.model !== null && model === null)
      say(
        'MODEL_MISSING',
        `No model of ${plan.model.name} is in force: millwright models publish … --kafka puts one in force.`,
      )
    const endLooking = watchChanges(new PlantChanges(say, model?.activeFrom ?? -Infinity), async () => ({
      stalled: [],
      channels: (await deliveries?.status()) ?? [],
      model: plan.model === null ? null : await models.inForce(),
    }))
    closers.unshift(async () => endLooking())
    const { watchFolder } = options
    let watcher: Watcher | null = null
    let cases: PlantCases | null = null
    if (watchFolder !== null) {
      const store = await opened(
        KafkaCaseLog.open(connection, (writes) =>
          writes
            ? say('CASES_TAKEN_BACK', 'Nobody wrote the cases that were to be written: this gateway writes them again.')
            : say(
                'CASES_TAKEN_OVER',
                'Another gateway writes the cases from now on. This one shows them, and writes again when the other does not.',
              ),
        ),
      )
      const hurry = (): void => watcher?.hurry()
      cases = new PlantCases({
        store,
        plan,
        read: kafkaTopics(connection),
        hurry,
        watcher: () => watcher,
        logTimeMs: brokersTimeMs,
      })
      const of = { kind: 'kafka', connection, directory: watchFolder } as const
      watcher = new Watcher({ plant: watchedPlant(plan), of }, cases, say)
    }
    closers.unshift(async () => watcher?.stop())
    const gateway = await listen({
      ...options,
      ingest,
      feedback,
      feed,
      deliveries,
      ends,
      models,
      observer,
      heartbeat,
      watcher,
      cases,
    })
    closers.unshift(() => gateway.close())
    if (heartbeat !== null) closers.unshift(heartbeat.start())
    say('PLANT_LISTENS', `${plan.name} takes readings at ${gateway.url}/api/readings. Status page: ${gateway.url}/`, {
      url: gateway.url,
    })
    if (options.files.length > 0) {
      const progress = startProgress('ingest', options.fileBytes)
      print = (text) => progress.log(text)
      try {
        await ingestToKafka({ plan, connection, files: options.files, signal, onProgress: progress.update, say })
      } finally {
        progress.stop()
        print = (text) => void process.stdout.write(`${text}\n`)
      }
    }
    if (!signal.aborted)
      say(
        'PLANT_READY',
        `Readings go to Kafka (${connection.bootstrapServers.join(', ')}), and alerts come from there. Waiting for readings. Ctrl-C stops.`,
      )
    await stopped
  } finally {
    for (const close of closers) await close()
  }
}

/** Reads files onto Kafka, each line once, and says where it went on. @throws As `KafkaFileIngest.open` and `ingestFiles`. */
export async function ingestToKafka(options: {
  readonly plan: Plan
  readonly connection: KafkaConnection
  readonly files: readonly string[]
  readonly signal: AbortSignal
  readonly onProgress: (readBytes: number, lines: number) => void
  readonly say: Say
}): ReturnType<typeof ingestFiles> {
  const { plan, connection, files, signal, onProgress, say } = options
  const ingest = await KafkaFileIngest.open(connection)
  try {
    const door = doorOf(plan, ingest.partitionCount)
    const result = await ingestFiles({ plan, door, ingest, files, signal, onProgress })
    for (const { file, fromPosition } of result.resumed)
      say('FILE_RESUMED', `${file} was read before, up to byte ${formatCount(fromPosition)}: went on from there.`, {
        file,
        fromPosition,
      })
    return result
  } finally {
    await ingest.close()
  }
}

/** The brokers' newest append time, epoch milliseconds: the time of day, since gateways carry it forward. */
function brokersTimeMs(): number {
  return Date.now()
}

/** The heartbeat of a project that wants one; `null` also where no alert could come of it. @throws As `Heartbeat`. */
function heartbeatOf(plan: Plan, ingest: KafkaIngest): Heartbeat | null {
  if (plan.heartbeat === null || plan.model === null) return null
  const door = doorOf(plan, ingest.partitionCount)
  const way = { plan, door, ingest, nowMs: () => Date.now(), elapsedMs: () => performance.now() }
  return new Heartbeat(way, plan.heartbeat.intervalMs)
}

async function listen(options: {
  readonly project: LoadedProject
  readonly listening: ListenOptions
  readonly hostNames: readonly string[]
  readonly ingest: KafkaIngest
  readonly feedback: KafkaFeedback
  readonly feed: Awaited<ReturnType<typeof openKafkaAlertFeed>>
  readonly deliveries: Deliveries | null
  readonly ends: TopicEnds
  readonly models: KafkaModels
  readonly observer: KafkaObserver
  readonly heartbeat: Heartbeat | null
  readonly watcher: Watcher | null
  readonly cases: PlantCases | null
  readonly say: Say
}): Promise<HttpGateway> {
  const {
    say,
    project,
    listening,
    hostNames,
    ingest,
    feedback,
    feed,
    deliveries,
    ends,
    models,
    observer,
    heartbeat,
    watcher,
    cases,
  } = options
  let gateway: HttpGateway | null = null
  let channels: readonly DeliveryStatus[] = []
  let known: Awaited<ReturnType<TopicEnds['ends']>> = []
  const metrics = new PlantMetrics({
    counters: () => ({ ...observer.counters(), ...gateway?.counters() }),
    gauges: () => [
      ...observer.gauges(known),
      ...(gateway === null ? [] : gatewayGauges(gateway.stats())),
      ...(heartbeat?.gauges() ?? []),
      ...deliveryMetrics(channels, Date.now()),
      ...(watcher === null ? [] : watchMetrics(watcher, brokersTimeMs())),
    ],
    histograms: () => [
      ...(gateway === null ? [] : gatewayHistograms(gateway.stats())),
      ...(heartbeat?.histograms() ?? []),
    ],
  })
  const door = doorOf(project.plan, ingest.partitionCount)
  gateway = await startHttpGateway({
    ...listening,
    hostNames,
    door,
    ingest,
    feedback,
    verdictsUntilMs: () => verdictsUntilMs(project.plan),
    plant: {
      notReady: () => observer.notReady(),
      metrics: async () => {
        known = await ends.ends()
        channels = (await deliveries?.status()) ?? []
        return metrics.render()
      },
      status: () => observer.status(),
      model: () => watcher?.report ?? null,
    },
    alerts: feed,
    models,
    cases,
    deliveries,
    lineEvents: lineEventsOf({ plan: project.plan, door, ingest }),
    closeGraceMs,
    onError: (error, where) => sayFailed(say, error, where),
  })
  return gateway
}
