import type { DevelopmentCluster } from '../../../packages/cluster/src/development/index.ts'
import type { CaseMessage, MaintenanceFeedback } from '../../../packages/core/src/index.ts'
import { BrokerLink } from '../../../packages/gateways/src/kafka/broker-link.ts'
import { KafkaCaseLog, positionsTopic } from '../../../packages/gateways/src/kafka/index.ts'
import { TransactionWriter } from '../../../packages/gateways/src/kafka/transaction-writer.ts'
import type { RunningGateway } from '../support/commands.ts'
import { eventually, type Proof, pause } from '../support/proof.ts'
import { byCase, differenceOf } from './compared.ts'
import { calmMachine, historyMinutes, readingsOf } from './fleet.ts'
import { caseAt, casesAt, command, exported, metricAt, post } from './gateway-requests.ts'

const patienceSeconds = 150
/** Longer than it takes to open the log of cases where nothing is in the way. */
const openTransactionMs = 3000

export interface CaseTrouble {
  readonly proof: Proof
  readonly cluster: DevelopmentCluster
  /** Flags that name the brokers. */
  readonly kafka: readonly string[]
  /** That watches since some time, all that was handed in. */
  readonly first: RunningGateway
  /** Starts another one of the same project, with a data folder of its own. */
  readonly another: (folder: string) => Promise<RunningGateway>
}

/** What people do to cases on Kafka, while gateways and brokers are killed. @returns When every message was found once. */
export async function caseTrouble({ proof, cluster, kafka, first, another }: CaseTrouble): Promise<void> {
  const [opened, other] = await eventually('cases that are open', patienceSeconds, async () => {
    const [one, two] = (await casesAt(first.url)).filter(({ status }) => status === 'open')
    return one === undefined || two === undefined ? null : ([one, two] as const)
  })
  const { caseId } = opened
  const applied = (what: string, url: string, of: string, holds: (change: string, status: string) => boolean) =>
    eventually(what, patienceSeconds, async () => {
      const found = await caseAt(url, of)
      return found !== null && holds(found.change, found.status) ? found : null
    })

  const link = new BrokerLink(cluster.kafka, 'proof')
  const place = { key: Buffer.from('proof'), value: Buffer.from('{"position":0}') }
  const placeOf = [{ topic: positionsTopic, partition: 0, records: [place] }]
  const left = await TransactionWriter.open(link, 'millwright-ingest')
  await left.write(placeOf)
  await command(first.url, other.caseId, { command: 'acknowledge' })
  await applied('a case acknowledged', first.url, other.caseId, (change) => change === 'acknowledged')
  const before = (await exported<CaseMessage>('cases', ...kafka)).length
  let isOpen = false
  const opening = KafkaCaseLog.open(cluster.kafka, () => undefined).finally(() => {
    isOpen = true
  })
  await pause(openTransactionMs)
  const waited = !isOpen
  await left.commit(placeOf)
  await (await opening).close()
  await link.close()
  proof.check(
    waited,
    'who is to write cases waits for what is written behind a transaction that another program left open: its own place may be there',
  )
  const second = await another('second')
  proof.onEnd(() => second.kill())

  const accepted = 'millwright_verdicts_total{outcome="accepted"}'
  const acceptedBefore = (await metricAt(first.url, accepted)) ?? 0
  // Through the gateway that does not write cases any more; on one partition, so in this order.
  const answers: Promise<boolean>[] = []
  for (const what of [
    { command: 'acknowledge' },
    { command: 'resolve', verdict: 'false-alarm' },
    { command: 'reopen' },
    { command: 'resolve', verdict: 'failure-confirmed', found: 'bearing worn' },
  ]) {
    answers.push(command(first.url, caseId, what))
    await pause(100)
  }
  const atOnce = (await Promise.all(answers)).filter((isAtOnce) => isAtOnce).length
  for (const { url } of [first, second])
    await applied('a case resolved', url, caseId, (change, status) => change === 'resolved' && status === 'resolved')
  const history = (await exported<CaseMessage>('cases', ...kafka)).filter((message) => message.caseId === caseId)
  const changes = history.slice(-4).map(({ change }) => change)
  proof.check(
    JSON.stringify(changes) === JSON.stringify(['acknowledged', 'resolved', 'reopened', 'resolved']) &&
      history.at(-1)?.by === 'Jo',
    `what was done to a case by HTTP is on its record: ${changes.join(', ')} (${atOnce} of 4 answered in six seconds)`,
  )
  const verdicts = (await exported<MaintenanceFeedback>('maintenance-feedback', ...kafka)).filter(
    ({ id }) => id === caseId,
  )
  proof.check(
    JSON.stringify(verdicts.map(({ verdict }) => verdict)) ===
      JSON.stringify(['false-alarm', 'withdrawn', 'failure-confirmed']),
    `its verdicts are on maintenance-feedback, each once: ${verdicts.map(({ verdict }) => verdict).join(', ')}`,
  )
  for (const { url } of [first, second])
    await eventually('the verdicts in the metrics', patienceSeconds, async () =>
      (await metricAt(url, accepted)) === acceptedBefore + verdicts.length &&
      (await metricAt(url, 'millwright_cases_resolved_total{verdict="failure-confirmed"}')) === 1
        ? true
        : null,
    )
  proof.check(true, `and in the metrics of both gateways: ${acceptedBefore + verdicts.length} accepted`)

  // The one that writes is killed while a case is to be opened, and a broker with it.
  await post(first.url, 'readings', readingsOf(calmMachine, historyMinutes, historyMinutes + 8, true))
  second.kill()
  await cluster.kill('broker-2')
  const killedAtMs = performance.now()
  const raised = await eventually('a case of the machine that shakes', patienceSeconds, async () => {
    const found = (await exported<CaseMessage>('cases', ...kafka)).find(({ deviceId }) => deviceId === calmMachine)
    return found ?? null
  })
  proof.check(
    raised.change === 'opened',
    `the gateway that writes cases was killed, and a broker: the other wrote the next ${((performance.now() - killedAtMs) / 1000).toFixed(0)} s later`,
  )
  await post(first.url, 'readings', readingsOf(calmMachine, historyMinutes + 8, historyMinutes + 50, false))
  await command(first.url, raised.caseId, { command: 'comment', comment: 'while a broker is away' })
  await eventually('an alert cleared and a comment', patienceSeconds, async () => {
    const changes = (await exported<CaseMessage>('cases', ...kafka))
      .filter(({ caseId: of }) => of === raised.caseId)
      .map(({ change }) => change)
    return changes.includes('cleared') && changes.includes('commented') ? true : null
  })
  await cluster.start('broker-2')
  await command(first.url, raised.caseId, { command: 'resolve', verdict: 'unclear' })
  await applied('the case resolved', first.url, raised.caseId, (_, status) => status === 'resolved')
  proof.check(true, 'while a broker is away, and after it is back, cases go on')

  // One that knows nothing folds everything again.
  const third = await another('third')
  proof.onEnd(() => third.kill())
  const messages = await eventually('all cases, folded anew', patienceSeconds, async () => {
    const written = await exported<CaseMessage>('cases', ...kafka)
    return differenceOf(await sequences(third.url), lastSequences(written)) === null ? written : null
  })
  const doubled = [...byCase(messages).values()].filter((of) => of.some(({ sequence }, index) => sequence !== index))
  proof.check(
    doubled.length === 0 && messages.length > before,
    `of ${byCase(messages).size} cases ${messages.length} changes are on the topic, each once and in order, after four that wrote them ${JSON.stringify(doubled.map((of) => of.map(({ sequence }) => sequence)))}`,
  )
  await third.stop()
}

async function sequences(url: string): Promise<Record<string, number>> {
  return Object.fromEntries((await casesAt(url)).map(({ caseId, sequence }) => [caseId, sequence]))
}

function lastSequences(messages: readonly CaseMessage[]): Record<string, number> {
  return Object.fromEntries([...byCase(messages)].map(([caseId, of]) => [caseId, of.at(-1)?.sequence ?? -1]))
}
