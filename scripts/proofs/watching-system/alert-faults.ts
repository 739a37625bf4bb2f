import { did } from '../support/commands.ts'
import type { ProcessFaults } from '../support/faulty-plant.ts'
import type { Receiver } from '../support/notified-peers.ts'
import type { PanelQueries } from '../support/panel-queries.ts'
import { pause } from '../support/proof.ts'
import { post, postReadings } from '../support/proof-plant.ts'
import { machineCount, type WatchedFleet } from '../support/watched-plant.ts'

/** A fault that is put in, what shows it, and what takes it out again. */
export interface AlertFault {
  readonly what: string
  /** Alerts that it has fire, and that end with it. */
  readonly alerts: readonly string[]
  begin?(): Promise<void> | void
  /** Again and again while the fault lasts. Default: readings of all machines. */
  during?(): Promise<void>
  /** Whether panels show it too. */
  shows?(): Promise<boolean>
  end?(): Promise<void> | void
}

/** What the faults are put into. */
export interface FaultyPlace {
  readonly url: string
  readonly project: string
  readonly data: string
  readonly fleet: WatchedFleet
  readonly panels: PanelQueries
  readonly faults: ProcessFaults
  /** The peer of the channel `tickets`, which tells of comments alone. */
  readonly tickets: Receiver
}

/** Faults of what comes in and of the way that it takes. */
export function faultsOfReadings({ url, fleet, panels, faults }: FaultyPlace): AlertFault[] {
  return [
    {
      what: 'lines that are none, impossible values and late readings',
      alerts: ['DeadLettersMany', 'ReadingsDroppedMany', 'LateReadingsMany'],
      during: async () => {
        await postReadings(url, '{"deviceId":\n'.repeat(50))
        await postReadings(url, fleet.wrongLines().join('\n'))
        await fleet.send(machineCount)
      },
      shows: async () => (await panels.shown('millwright-data-quality', 'Dead letters', 1, { reason: 'not-json' })) > 1,
    },
    deadGateway(fleet, panels),
    {
      what: 'sources that stop, while the heartbeat goes on',
      alerts: ['ReadingsStopped'],
      during: async () => pause(200),
      shows: async () =>
        (await panels.shown('millwright-plant', 'Readings')) < 0.3 &&
        (await panels.shown('millwright-plant', 'Heartbeat, last seen')) < 5,
    },
    {
      what: 'a slow disk, whose syncs take 3 s longer',
      alerts: ['LatencyHigh', 'HeartbeatSlow'],
      begin: () => faults.slowDisk(3000),
      shows: async () =>
        (await panels.shown('millwright-plant', 'Heartbeat, from door to alert', 1)) > 3 &&
        (await panels.shown('millwright-pipeline', 'From append to durable alert', 2)) > 1,
      end: () => faults.slowDisk(null),
    },
    {
      what: "the machine's clock set back by 30 s",
      alerts: ['ClockBehind'],
      begin: () => faults.clockBack(30_000),
      end: () => faults.clockBack(null),
    },
  ]
}

function deadGateway(fleet: WatchedFleet, panels: PanelQueries): AlertFault {
  let silencesBefore = 0
  return {
    what: 'a dead gateway: half of the machines fall silent, and the others go on',
    alerts: ['MachinesFellSilent'],
    begin: async () => {
      silencesBefore = await panels.shown('millwright-plant', 'Machines fell silent')
    },
    during: async () => void (await fleet.send(machineCount / 2)),
    shows: async () => {
      const silent = await panels.shown('millwright-data-quality', 'Silent')
      const fell = (await panels.shown('millwright-plant', 'Machines fell silent')) - silencesBefore
      return silent === machineCount / 2 && fell > 1 && (await panels.shown('millwright-plant', 'Readings')) > 1
    },
  }
}

/** Faults of people and of who is told: cases that nobody takes, a channel that is away, one that refuses. */
export function faultsOfCases({ url, project, data, tickets }: FaultyPlace): AlertFault[] {
  let comments = 0
  const comment = async (): Promise<void> => {
    const [first] = await casesOf(url)
    await act(url, first?.caseId ?? '', { id: `comment-${++comments}`, command: 'comment', comment: 'seen' })
  }
  return [
    {
      what: 'cases that nobody has taken',
      alerts: ['CasesUntouched'],
      end: async () => {
        for (const { caseId } of await casesOf(url))
          await act(url, caseId, { id: `take-${caseId}`, command: 'acknowledge' })
      },
    },
    {
      what: 'a channel whose peer is away',
      alerts: ['DeliveryStuck'],
      begin: async () => {
        await tickets.goAway()
        await comment()
      },
      end: async () => tickets.comeBack(),
    },
    {
      what: 'a peer that refuses',
      alerts: ['NotificationsParked'],
      begin: async () => {
        tickets.otherwise = () => 'refuse'
        await comment()
      },
      end: async () => {
        tickets.otherwise = () => 'take'
        await did('deliveries', 'retry', 'tickets', project, '--data', data)
      },
    },
  ]
}

async function casesOf(url: string): Promise<readonly { readonly caseId: string }[]> {
  const answer = await fetch(`${url}/api/cases?status=unresolved`)
  return ((await answer.json()) as { cases: readonly { readonly caseId: string }[] }).cases
}

async function act(url: string, caseId: string, command: Readonly<Record<string, string>>): Promise<void> {
  const path = `${url}/api/cases/${encodeURIComponent(caseId)}/commands`
  const { status, body } = await post(path, 'application/json', Buffer.from(JSON.stringify(command)))
  if (status !== 200 && status !== 202)
    throw new Error(`${command['command']} of "${caseId}" was answered ${status}: ${body}`)
}
