/**
 * What the guest alone takes of a reading, in V8 within a JVM, without Flink and Kafka; with the flags that the host gives V8, and with what V8
 * does by itself, in turn.
 *
 *     node bench/guest-in-v8.ts [--rounds 3] [--passes 6]
 *
 * A pass goes through a million readings; the last one counts. Needs the development cluster's tools (docs/guide/cluster.md) and the peers.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runTool } from '../packages/cluster/src/development/run-tool.ts'
import { guestJava } from './guest-java.ts'
import { bundleInto } from './host-build.ts'
import { benchScratch, machineText } from './machine.ts'
import { peersInput } from './peers.ts'
import { markdownOf, median, spread } from './report.ts'

/** V8's own ways, by name; `null`: as the host has it. */
const ways: readonly { readonly name: string; readonly flags: string | null }[] = [
  { name: 'as the host has it: loops are not unrolled', flags: null },
  { name: 'as V8 has it', flags: '--turboshaft-loop-unrolling' },
]

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, passes: { type: 'string', default: '6' } },
})

const guest = await bundleInto(join(benchScratch, 'cluster-guest'))
const { java, classPath } = await guestJava('GuestSpeed')

const found = ways.map(({ name }) => ({ name, prepareNs: [] as number[], processNs: [] as number[] }))
for (let round = 0; round < Number(values.rounds); round++)
  for (const [index, { flags }] of ways.entries()) {
    const args = [guest, peersInput(1_000_000), values.passes, ...(flags === null ? [] : [flags])]
    const said = await runTool(java, ['-cp', classPath, 'org.millwright.host.GuestSpeed', ...args], {
      what: 'run the guest',
    })
    const [prepareNs, processNs] = (said.trim().split('\n').at(-1) ?? '').split('\t').map(Number)
    found[index]?.prepareNs.push(prepareNs ?? Number.NaN)
    found[index]?.processNs.push(processNs ?? Number.NaN)
  }

process.stdout.write(
  `${markdownOf({
    title: 'The guest in V8, nanoseconds of processor time a reading',
    header: ['', 'prepare', 'rounds', 'process', 'rounds'],
    rows: found.map(({ name, prepareNs, processNs }) => [
      name,
      median(prepareNs).toFixed(0),
      spread(prepareNs),
      median(processNs).toFixed(0),
      spread(processNs),
    ]),
    goals: [],
    notes: [`A million readings of 1,000 devices, the ${values.passes}th time; ${machineText()}.`],
    figures: [],
  })}\n`,
)
