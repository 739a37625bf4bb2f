/**
 * What the guest's V8 takes over hours of small calls, in a JVM, without Flink and Kafka: between collections of its own making, and when all that
 * nobody holds is collected.
 *
 *     node bench/guest-heap.ts [--minutes 600]
 *
 * Minutes are the fleet's; they go by as fast as readings are taken. Needs the development cluster's tools (docs/guide/cluster.md).
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runTool } from '../packages/cluster/src/development/run-tool.ts'
import { guestJava } from './guest-java.ts'
import { bundleInto } from './host-build.ts'
import { benchScratch, machineText } from './machine.ts'
import { markdownOf } from './report.ts'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '600' } } })

const guest = await bundleInto(join(benchScratch, 'cluster-guest'))
const { java, classPath } = await guestJava('GuestHeap')
const said = await runTool(java, ['-cp', classPath, 'org.millwright.host.GuestHeap', guest, values.minutes], {
  what: 'run the guest',
})
const lines = said
  .trim()
  .split('\n')
  .map((line) => line.split('\t').map(Number))
const bytes = lines.map(([, used = Number.NaN]) => used)
const [collected = Number.NaN, ...between] = bytes.toReversed()
const megabytes = (value: number): string => (value / 1e6).toFixed(1)

process.stdout.write(
  `${markdownOf({
    title: `The guest's V8 over ${values.minutes} minutes of eight devices, MB in use`,
    header: ['least', 'most', 'after a collection at the end'],
    rows: [[megabytes(Math.min(...between)), megabytes(Math.max(...between)), megabytes(collected)]],
    goals: [],
    notes: [`Looked at every 20 minutes; ${machineText()}.`],
    figures: [],
  })}\n`,
)
