/**
 * Proof: a day of a plant on which much goes wrong, and what the plant said of it. A simulated fleet of 24 presses, in five-minute
 * windows, through a real plant process by HTTP: seven sound working days, then one in which two bearings wear until their machines
 * break, a third machine breaks in a way that the model was never taught, somebody shakes a sound one, hard and then gently, fork-lifts
 * pass others, a sensor begins to drift, a gateway dies for four hours, the plant itself is killed (`kill -9`), and the disk is slow for two
 * hours; then the days after it, in which people say what they found. In the end all that came in is played again from the start, and the
 * readings are folded without the alert policy, to see what that spared. What is true is the simulator's record; the readings are held to it.
 *
 * Event time is the plant's own: a window is five minutes, a day passes in minutes of the real clock (`--seconds`). What runs on append
 * time (silence, the heartbeat, snapshots, the watcher) runs on the real clock. The disk is slow by a preload in the plant's process
 * that has each sync to disk take longer (`support/slow-disk.ts`); all else is the plant as it is shipped.
 *
 *   node scripts/proofs/plant-day.ts [--seconds 180] [--seed 1] [--document docs/guide/plant-day.md]
 */
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AlertSignal, CaseView, DeviceStatus, MaintenanceFeedback } from '@millwright/core'
import { type PlantProcess, startPlant, statusOf } from '../../bench/plant-process.ts'
import { loadPackage } from '../../packages/cli/src/models/load-package.ts'
import { CaseWatch } from './plant-day/case-watch.ts'
import { writeDayDocument } from './plant-day/day-document.ts'
import { PlantFleet, type PlantTruth, plantCalendar, trainingWeek, windowMs } from './plant-day/fleet.ts'
import { MetricsLog, total } from './plant-day/metrics-log.ts'
import { PlantClock, PlantFeed } from './plant-day/plant-feed.ts'
import { silentAfterMs, writePlantProject } from './plant-day/plant-project.ts'
import { checkPolicies, comparePolicies, type PolicyRow, policyTable } from './plant-day/policy-comparison.ts'
import { replayDay } from './plant-day/replayed-day.ts'
import { auditDay, storedMessages, storedSilences } from './plant-day/stored-day.ts'
import { Timeline } from './plant-day/timeline.ts'
import { auditTruth } from './plant-day/truth-audit.ts'
import { trainWearModel } from './plant-day/wear-model.ts'
import { freePort } from './support/free-port.ts'
import { eventually, numberArgument, type Proof, prove, textArgument } from './support/proof.ts'
import { post } from './support/proof-plant.ts'

const seed = numberArgument('seed', 1)
const daySeconds = numberArgument('seconds', 180)
const syncDelayMs = 150
/** When somebody goes and looks at the shaken machine, after it stands quietly. */
const lookedAtAfterMs = 4 * 3_600_000
/** When the plant is killed: in the middle of the day, with both worn bearings at work, and time to start again before the disk is slow. */
const killedAfterMs = 14 * 3_600_000
/** When maintenance writes down that it is at a machine, after that broke. */
const notedAfterMs = 20 * 60_000
const plainPolicy = '{ threshold: 0.8 }'
const policy = `{ threshold: 0.8, clearThreshold: 0.5, windows: { high: 3, of: 5 }, minimumDuration: '30 min',
    severities: { critical: { threshold: 0.88, clearThreshold: 0.7 } },
    maintenance: { begin: 'maintenance-begin', end: 'maintenance-end', atMost: '12 h', settle: '15 min' } }`

await prove('plant-day', 1800, async (whole) => {
  const claims: string[] = []
  const proof: Proof = {
    ...whole,
    check(holds, claim) {
      claims.push(holds ? claim : `**Not so:** ${claim}`)
      whole.check(holds, claim)
    },
  }
  const calendar = plantCalendar(Date.now())
  const project = join(proof.folder, 'project')
  const data = join(proof.folder, 'data')
  const plan = await writePlantProject(project, policy)
  const { bytes, rowCount, positiveCount } = trainWearModel(plan, trainingWeek(seed, calendar), 'day-1')
  writeFileSync(join(project, 'model.mwmodel'), bytes)
  proof.say(
    `the model: learnt from ${rowCount} windows of an earlier week of the same machines, ${positiveCount} of a worn bearing`,
  )

  const fleet = new PlantFleet(seed, calendar)
  const slowDisk = join(proof.folder, 'slow-disk')
  const port = await freePort()
  let plant = await startSlowablePlant(proof, { project, data, slowDisk, port })
  const metrics = new MetricsLog(proof, plant.url)
  const cases = new CaseWatch(proof, plant.url)
  const feed = new PlantFeed(plant.url, fleet)
  await feed.sendAtOnce(calendar.dayStartMs)
  await settled(plant.url)
  proof.say(`seven working days: ${feed.acknowledged.length} readings`)

  const clock = new PlantClock(calendar.dayStartMs, (calendar.dayEndMs - calendar.dayStartMs) / daySeconds / 1000)
  proof.say(`the day: ${clock.speed} times as fast as the clock, a window in ${(300 / clock.speed).toFixed(2)} s`)
  await metrics.scrape()
  const shift: Promise<void>[] = []
  const acts = actsOfTheDay(fleet, plant.url, slowDisk, {
    lookAtShaken: async () => {
      shift.push(
        cases.resolve(fleet.truth.shaken.deviceId, { verdict: 'false-alarm', found: 'somebody worked beside it' }),
      )
    },
    kill: async () => {
      const killedMs = performance.now()
      await killed(plant)
      plant = await startSlowablePlant(proof, { project, data, slowDisk, port })
      proof.say(`killed with kill -9, and back ${seconds(performance.now() - killedMs)} s later`)
    },
  })
  await feed.sendInTime(clock, calendar.dayEndMs, async (plantMs) => {
    while (acts[0] !== undefined && acts[0].atMs <= plantMs) await acts.shift()?.act()
  })
  await Promise.all(shift)
  const evening = await metrics.scrape()
  for (const fault of fleet.truth.wear)
    await cases.resolve(fault.deviceId, {
      verdict: 'failure-confirmed',
      found: 'the bearing is worn',
      failureAt: failureMs(fault),
    })
  await tellMissedFailure(fleet.truth.leak, plant.url)
  await feed.sendAtOnce(calendar.toMs)
  await settled(plant.url)
  const after = await eventually('the watcher has the days after', 180, async () => {
    const sample = await metrics.scrape()
    const judged = total(sample, 'millwright_verdicts_total', 'outcome="accepted"')
    return judged >= 4 &&
      total(sample, 'millwright_drift_machines_alarmed', `feature="${fleet.truth.drift.channel}"`) > 0
      ? sample
      : null
  })
  const shown = await Promise.all(
    cases.cases.map(async (one) => ({ ...one, history: await cases.historyOf(one.caseId) })),
  )
  cases.stop()
  metrics.stop()
  await plant.stop()

  const timeline = new Timeline(calendar.dayStartMs)
  const day: Day = { proof, fleet, clock, metrics, timeline, data }
  auditTruth(proof, fleet, feed.acknowledged)
  tellTruth(day)
  tellAlerts(day)
  checkCases(day, shown, cases.firstShownMs)
  checkDeadGateway(day)
  checkSlowDisk(day)
  checkVerdicts(day, evening, after)
  checkDrift(day, after)
  for (const line of timeline.lines()) proof.say(line)
  proof.say(
    `${feed.refusals.length} answers were no acknowledgement${feed.refusals[0] === undefined ? '' : `, the first: ${feed.refusals[0]}`}`,
  )
  auditDay(proof, { data, plan, model: loadPackage(bytes, plan), feed })
  await replayDay(proof, { project, data })
  const [without, withPolicy] = comparePolicies({ seed, calendar, model: bytes }, [
    {
      name: 'the threshold alone',
      plan: await writePlantProject(join(proof.folder, 'plain'), plainPolicy),
      isMarked: false,
    },
    { name: '3 of 5 windows, ends at 0.5, at least 30 min', plan, isMarked: true },
  ]) as [PolicyRow, PolicyRow]
  const policies = policyTable([without, withPolicy])
  for (const line of policies) proof.say(line)
  checkPolicies(proof, [without, withPolicy], shown.length)
  const document = textArgument('document', '')
  if (document !== '') writeDayDocument(document, { seconds: daySeconds, timeline, policies, claims })
})

interface Day {
  readonly proof: Proof
  readonly fleet: PlantFleet
  readonly clock: PlantClock
  readonly metrics: MetricsLog
  readonly timeline: Timeline
  readonly data: string
}

/** Starts the plant with a disk whose syncs can be slowed by a file. */
async function startSlowablePlant(
  proof: Proof,
  where: { readonly project: string; readonly data: string; readonly slowDisk: string; readonly port: number },
) {
  const { project, data, slowDisk, port } = where
  const preload = new URL('./support/slow-disk.ts', import.meta.url).href
  const plant = await startPlant({
    project,
    dataDirectory: data,
    args: ['--port', String(port)],
    wrapper: ['env', `NODE_OPTIONS=--import=${preload}`, `MILLWRIGHT_PROOF_SLOW_DISK=${slowDisk}`],
  })
  proof.onEnd(() => {
    if (plant.process.exitCode === null && plant.process.signalCode === null) plant.process.kill('SIGKILL')
  })
  return plant
}

async function killed(plant: PlantProcess): Promise<void> {
  const ended = once(plant.process, 'exit')
  plant.process.kill('SIGKILL')
  await ended
}

async function settled(url: string): Promise<void> {
  await eventually('everything is processed', 60, async () => ((await statusOf(url)).lag.records === 0 ? true : null))
}

interface Act {
  readonly atMs: number
  act(): Promise<void>
}

/** What is done at its time, beside the readings: the disk, what maintenance writes down of a machine that broke, a look at the shaken one. */
function actsOfTheDay(
  fleet: PlantFleet,
  url: string,
  slowDisk: string,
  { lookAtShaken, kill }: { readonly lookAtShaken: () => Promise<void>; readonly kill: () => Promise<void> },
): Act[] {
  const { wear, leak, shaken, slowDisk: slow } = fleet.truth
  const event = (deviceId: string, atMs: number, type: string): Act => ({
    atMs,
    act: async () => {
      const answer = await post(
        `${url}/api/events`,
        'application/x-ndjson',
        Buffer.from(`${JSON.stringify({ deviceId, timestamp: atMs, type })}\n`),
      )
      if (answer.status !== 202) throw new Error(`a device event was answered ${answer.status}: ${answer.body}`)
    },
  })
  return [
    { atMs: shaken.toMs + lookedAtAfterMs, act: lookAtShaken },
    { atMs: fleet.dayStartMs + killedAfterMs, act: kill },
    { atMs: slow.fromMs, act: async () => writeFileSync(slowDisk, String(syncDelayMs)) },
    { atMs: slow.toMs, act: async () => rmSync(slowDisk) },
    ...[...wear, leak].flatMap((fault) => [
      event(fault.deviceId, failureMs(fault) + notedAfterMs, 'maintenance-begin'),
      event(fault.deviceId, fleet.repairedMs(fault), 'maintenance-end'),
    ]),
  ].sort((a, b) => a.atMs - b.atMs)
}

function failureMs(fault: PlantTruth['leak']): number {
  return fault.failureMs ?? fault.fullMs
}

/** What no case tells of: a maintenance system's order for a machine that broke without a word. */
async function tellMissedFailure(leak: PlantTruth['leak'], url: string): Promise<void> {
  const verdict: MaintenanceFeedback = {
    id: `order-${leak.deviceId}`,
    revision: 0,
    deviceId: leak.deviceId,
    verdict: 'missed-failure',
    from: leak.startMs,
    to: failureMs(leak) + windowMs,
    failureAt: failureMs(leak),
    recordedAt: Date.now(),
    model: null,
  }
  const answer = await post(`${url}/api/feedback`, 'application/json', Buffer.from(JSON.stringify(verdict)))
  if (answer.status !== 202) throw new Error(`the missed failure was answered ${answer.status}: ${answer.body}`)
}

function tellTruth({ fleet, timeline }: Day): void {
  const { wear, leak, shaken, passed, drift, deadGateway, slowDisk } = fleet.truth
  for (const fault of [...wear, leak]) {
    timeline.add(fault.startMs, 'truth', `${fault.deviceId}: ${fault.fault} begins`)
    timeline.add(failureMs(fault), 'truth', `${fault.deviceId} breaks and stands still`)
    timeline.add(failureMs(fault) + notedAfterMs, 'truth', `${fault.deviceId}: maintenance begins`)
    timeline.add(fleet.repairedMs(fault), 'truth', `${fault.deviceId} runs again`)
  }
  timeline.add(shaken.fromMs, 'truth', `${shaken.deviceId}: somebody works beside it and shakes it`)
  timeline.add(shaken.gentlerFromMs, 'truth', `${shaken.deviceId}: is shaken more gently`)
  for (const { deviceId, fromMs, toMs } of passed)
    timeline.add(fromMs, 'truth', `${deviceId}: a fork-lift passes for ${(toMs - fromMs) / 60_000} minutes`)
  timeline.add(fleet.dayStartMs + killedAfterMs, 'truth', 'the plant is killed (kill -9) and started again')
  timeline.add(shaken.toMs, 'truth', `${shaken.deviceId}: stands quietly again`)
  timeline.add(deadGateway.fromMs, 'truth', `the gateway of ${deadGateway.deviceIds.length} machines dies`)
  timeline.add(deadGateway.toMs, 'truth', 'the gateway is back')
  timeline.add(drift.startMs, 'truth', `${drift.deviceId}: its sensor of ${drift.channel} begins to drift`)
  timeline.add(drift.fullMs, 'truth', `${drift.deviceId}: it is off by ${drift.magnitude.toFixed(1)} bar`)
  timeline.add(slowDisk.fromMs, 'truth', `the disk becomes slow: each sync takes ${syncDelayMs} ms more`)
  timeline.add(slowDisk.toMs, 'truth', 'the disk is quick again')
}

function tellAlerts({ clock, timeline, data, fleet }: Day): void {
  for (const { deviceId, line } of storedMessages(data, 'alert-signals')) {
    const { windowEnd, alert } = JSON.parse(line) as AlertSignal
    if (alert?.mark === 'raising' || alert?.mark === 'clearing' || alert?.before !== undefined)
      timeline.add(
        windowEnd,
        'alert',
        `${deviceId}: ${alert.mark}, ${alert.severity}${alert.before === undefined ? '' : ` (before: ${alert.before})`}`,
      )
  }
  // What the real clock says of the days before and after, which pass in seconds, is of no use to anybody.
  for (const status of dayStatuses(data, clock, fleet))
    timeline.add(
      clock.plantAt(status.at),
      'status',
      `${status.deviceId}: ${status.kind}${status.kind === 'alert-cleared' ? ` (${status.cause})` : ''}`,
    )
}

function dayStatuses(data: string, clock: PlantClock, fleet: PlantFleet): DeviceStatus[] {
  const [fromMs, toMs] = [clock.realAt(fleet.dayStartMs), clock.realAt(fleet.dayStartMs + 86_400_000)]
  return storedMessages(data, 'device-status')
    .map(({ line }) => JSON.parse(line) as DeviceStatus)
    .filter(({ at }) => at >= fromMs && at < toMs)
}

type ShownCase = CaseView & { readonly history: Awaited<ReturnType<CaseWatch['historyOf']>> }

/** Each failure that the model was taught has its case before it; the shaken machine's is a false alarm; there is no other. */
function checkCases(
  { proof, fleet, clock, timeline }: Day,
  cases: readonly ShownCase[],
  shownMs: CaseWatch['firstShownMs'],
) {
  const { wear, leak, shaken } = fleet.truth
  for (const { caseId, deviceId, history } of cases) {
    for (const { at, change, severity, verdict, cause } of history)
      timeline.add(
        Math.min(clock.plantAt(at), fleet.endMs),
        'case',
        `${deviceId}: ${[change, severity, cause, verdict?.kind].filter((word) => word != null).join(', ')}`,
      )
    const delayMs = (shownMs.get(caseId) ?? Number.NaN) - (history[0]?.at ?? Number.NaN)
    proof.say(`the case of ${deviceId} was shown ${seconds(delayMs)} s after the reading that caused it`)
  }
  const of = (id: string): ShownCase[] => cases.filter(({ deviceId }) => deviceId === id)
  for (const { deviceId, ...fault } of wear) {
    const [first] = of(deviceId)
    const leadMs = failureMs({ deviceId, ...fault }) - clock.plantAt(first?.openedAt ?? Number.NaN)
    proof.check(
      of(deviceId).length === 1 && leadMs > 0 && leadMs < failureMs({ deviceId, ...fault }) - fault.startMs,
      `the wear of ${deviceId} has one case, ${hours(leadMs)} h before it breaks`,
    )
    const changes = changesOf(first)
    proof.check(
      changes.startsWith('opened warning, ') && changes.includes('escalated critical, '),
      `and it is escalated as the wear grows: ${changes}`,
    )
  }
  proof.check(of(leak.deviceId).length === 0, `the leak of ${leak.deviceId} has none: a missed failure`)
  const kinds = of(shaken.deviceId).map(({ verdict }) => verdict?.kind)
  proof.check(kinds.join() === 'false-alarm', `the shaken ${shaken.deviceId} has one, resolved as a false alarm`)
  const changes = changesOf(of(shaken.deviceId)[0])
  proof.check(
    /critical, de-escalated warning, .*cleared/.test(changes),
    `which is de-escalated when it is shaken more gently, and cleared when it is not: ${changes}`,
  )
  const days = fleet.workingDays
  const perWeek = cases.length / ((fleet.deviceIds.length * days) / 5)
  proof.check(
    cases.length === wear.length + 1,
    `no other machine has one, in ${days} working days: ${perWeek.toFixed(3)} cases per machine and working week`,
  )
}

/** What became of a case, and how grave it then was. */
function changesOf(shown: ShownCase | undefined): string {
  return (shown?.history ?? []).map(({ change, severity }) => `${change} ${severity}`).join(', ')
}

/** The machines behind a dead gateway are silent in time, and back when it is. */
function checkDeadGateway({ proof, fleet, clock, metrics, timeline, data }: Day): void {
  const { fromMs, toMs, deviceIds } = fleet.truth.deadGateway
  const statuses = dayStatuses(data, clock, fleet)
  const within = (kind: DeviceStatus['kind'], from: number, to: number): DeviceStatus[] =>
    statuses.filter(
      ({ deviceId, kind: of, at }) =>
        of === kind && deviceIds.includes(deviceId) && clock.plantAt(at) >= from && clock.plantAt(at) < to,
    )
  const silent = within('device-silent', fromMs, toMs)
  const returned = within('device-returned', toMs, fleet.endMs)
  proof.check(
    new Set(silent.map(({ deviceId }) => deviceId)).size === deviceIds.length,
    `all ${deviceIds.length} machines behind the dead gateway are silent, ${seconds(Math.max(...silent.map(({ at }) => at)) - clock.realAt(fromMs))} s after it died (silentAfter is ${silentAfterMs / 1000} s)`,
  )
  proof.check(
    new Set(returned.map(({ deviceId }) => deviceId)).size === deviceIds.length,
    'and all of them have returned after it came back',
  )
  const [diedMs, backMs] = [clock.realAt(fromMs), clock.realAt(toMs)]
  const stored = storedSilences(data).filter(
    ({ deviceId, at }) => deviceIds.includes(deviceId) && at >= diedMs && at < backMs,
  )
  proof.check(
    stored.length >= deviceIds.length &&
      stored.every(({ at, heardMs, toldMs, heartbeatMs }) => at - heardMs === silentAfterMs && toldMs === heartbeatMs),
    `each from the millisecond on at which its last record in the log is ${silentAfterMs / 1000} s old, and told by its partition's next heartbeat`,
  )
  const before = total(metrics.at(diedMs), 'millwright_devices_silent_total')
  const seen = metrics.firstAfter(
    diedMs,
    (sample) => total(sample, 'millwright_devices_silent_total') >= before + deviceIds.length,
  )
  proof.check(
    seen !== null && seen.atMs < backMs,
    `the metrics count them while it is dead, ${seconds((seen?.atMs ?? Number.NaN) - diedMs)} s after it died`,
  )
  if (seen !== null) timeline.add(clock.plantAt(seen.atMs), 'metric', `devices_silent_total +${deviceIds.length}`)
  const back = metrics.firstAfter(backMs, (sample) => total(sample, 'millwright_machines_silent') === 0)
  if (back !== null) timeline.add(clock.plantAt(back.atMs), 'metric', 'machines_silent 0')
  const gauge = Math.max(
    ...metrics.samples
      .filter(({ atMs }) => atMs > diedMs && atMs < backMs + 20_000)
      .map((sample) => total(sample, 'millwright_machines_silent')),
  )
  proof.check(gauge >= deviceIds.length, `the watcher's gauge of silent machines rises to ${gauge}`)
}

/** A slow disk is seen in what the plant counts, and only while it is slow. */
function checkSlowDisk({ proof, fleet, clock, metrics, timeline }: Day): void {
  const { fromMs, toMs } = fleet.truth.slowDisk
  const [from, to] = [clock.realAt(fromMs), clock.realAt(toMs)]
  const lengthMs = to - from
  // Before the kill: how long a start takes on a busy machine must not matter.
  const killedMs = clock.realAt(fleet.dayStartMs + killedAfterMs)
  for (const name of ['millwright_commit_duration_seconds', 'millwright_heartbeat_latency_seconds']) {
    const [before, slow, after] = [
      metrics.observed(name, killedMs - lengthMs, killedMs - 500),
      metrics.observed(name, from + 1000, to),
      metrics.observed(name, to + 2500, to + lengthMs),
    ]
    const inMs = ({ medianSeconds, count }: typeof slow): string =>
      `${(medianSeconds * 1000).toFixed(1)} ms of ${count}`
    const risenMs = (slow.medianSeconds - before.medianSeconds) * 1000
    timeline.add(
      toMs,
      'metric',
      `${name}: median ${inMs(before)} before, ${inMs(slow)} while slow, ${inMs(after)} after`,
    )
    proof.check(
      risenMs >= 0.8 * syncDelayMs && (after.medianSeconds - before.medianSeconds) * 1000 < risenMs / 2,
      `${name} rises by ${risenMs.toFixed(0)} ms while the disk is slow, and falls again`,
    )
  }
}

/** What people found is in the numbers of the model. */
function checkVerdicts(
  { proof, timeline, fleet }: Day,
  before: ReturnType<MetricsLog['at']>,
  after: ReturnType<MetricsLog['at']>,
): void {
  const numbers = (sample: typeof after): string =>
    ['false_alerts_total', 'model_failure_recall', 'model_event_precision', 'model_lead_time_seconds']
      .map((name) => `${name} ${total(sample, `millwright_${name}`).toFixed(3)}`)
      .join(', ')
  timeline.add(fleet.dayStartMs + 86_400_000, 'metric', `in the evening: ${numbers(before)}`)
  timeline.add(fleet.endMs, 'metric', `days after: ${numbers(after)}`)
  proof.check(total(after, 'millwright_false_alerts_total') === 1, 'the one false alarm of the record is counted')
  const recall = total(after, 'millwright_model_failure_recall')
  const told = fleet.truth.wear.length
  proof.check(
    Math.abs(recall - told / (told + 1)) < 1e-9,
    `of the ${told + 1} failures of the record ${told} were told: recall ${recall.toFixed(3)}`,
  )
  const precision = total(after, 'millwright_model_event_precision')
  proof.check(precision > 0.6 && precision < 1, `of the alarms that were judged ${precision.toFixed(3)} were failures`)
}

/** The drifted feature is named, and no other. */
function checkDrift({ proof, fleet, timeline }: Day, after: ReturnType<MetricsLog['at']>): void {
  const alarmed = ['tempStd', 'vibration', 'pressure', 'probability'].map((feature) => {
    const label = `feature="${feature}"`
    return [
      feature,
      total(after, 'millwright_drift_machines_alarmed', label),
      total(after, 'millwright_drift_alarm', label),
    ]
  })
  const text = alarmed.map(([feature, machines, ofFleet]) => `${feature} ${machines} (fleet ${ofFleet})`).join(', ')
  timeline.add(fleet.endMs, 'metric', `machines with a drift alarm: ${text}`)
  proof.check(
    alarmed.every(([feature, machines, ofFleet]) => {
      // What moves the model's input may move its answer.
      if (feature === 'probability') return Number(machines) <= 1 && ofFleet === 0
      return machines === (feature === fleet.truth.drift.channel ? 1 : 0) && ofFleet === 0
    }),
    `one machine has a drift alarm of ${fleet.truth.drift.channel}, whose sensor drifted by the record, and no other feature has one: ${text}`,
  )
}

function hours(durationMs: number): string {
  return (durationMs / 3_600_000).toFixed(1)
}

function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(1)
}
