/**
 * Proof: task managers that many deployments came and went in stay as they were, while a fleet sends all the time. After each deployment and
 * each minute of load the heap's live objects, metaspace, V8 and resident memory are looked at, and how many class loaders of
 * jobs are left; at the end the committed records are held against the operator's.
 *
 *   node scripts/proofs/soak.ts [--deployments 100] [--minutes 120] [--name NAME] [--keep 1]
 *
 * `--minutes` are of load in all; what is left after the deployments is load alone. A short run proves that no class loader is lost, and the outputs;
 * that memory is flat only a long one does.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadProject } from '../../packages/cli/src/project/load-project.ts'
import type { DevelopmentCluster } from '../../packages/cluster/src/development/index.ts'
import { taskManagerRoles } from '../../packages/cluster/src/development/roles.ts'
import { jobStatus } from '../../packages/cluster/src/index.ts'
import { outputTopics } from '../../packages/core/src/index.ts'
import { collect, countOf, differenceOf, expectedOutputs } from './exactly-once/expected-outputs.ts'
import { Fleet, fleetPackage, silentAfterMs, writeFleetProject } from './exactly-once/fleet.ts'
import { activationsOf } from './exactly-once/found-activation.ts'
import { type FoundInput, inputOf } from './exactly-once/found-input.ts'
import { KafkaProbe } from './exactly-once/kafka-probe.ts'
import { readOutputs } from './exactly-once/output-lines.ts'
import { did } from './support/commands.ts'
import { eventually, numberArgument, type Proof, pause, prove, seededChance, textArgument } from './support/proof.ts'
import { withProofCluster } from './support/proof-cluster.ts'

const deployments = numberArgument('deployments', 100)
const minutes = numberArgument('minutes', 120)
const name = textArgument('name', 'proof-soak')
const sampleMs = 60_000
/** Before it everything there is has been used once: pools are full, and the compilers have compiled. */
const settledShare = 0.2
/** With fewer looks nothing has settled: class loaders alone are held against their bound. */
const settledLooksMin = 40
/** From the settled part's first fifth to its last, of the median. */
const growthMax = 1.15
/** V8 collects its older objects when they have become several times as many: between 8 and 25 MB a subtask, whose live ones are 5 MB. */
const v8BytesPerSubtaskMax = 40e6
/** Of the job that runs, in each of its two guises, and what a pool's threads still have of one before it. */
const jobLoadersMax = 4

/** Both task managers together, in bytes but for the counts. */
interface Sample {
  readonly liveHeap: number
  readonly metaspace: number
  readonly v8: number
  readonly resident: number
  /** Of the task manager that has more of them. */
  readonly jobLoaders: number
  readonly threads: number
}

await prove('soak', (minutes + 2 * deployments) * 60 + 1200, (proof) =>
  withProofCluster(proof, name, {}, (cluster) => soak(proof, cluster)),
)

async function soak(proof: Proof, cluster: DevelopmentCluster): Promise<void> {
  const kafka = ['--kafka', cluster.bootstrapServers.join(',')]
  const flink = ['--flink', cluster.flinkUrl]
  const project = writeFleetProject(join(proof.folder, 'project'))
  const config = join(project, 'millwright.config.ts')
  const first = readFileSync(config, 'utf8')
  const { plan } = await loadProject(project)
  const model = join(proof.folder, 'press.mwmodel')
  writeFileSync(model, fleetPackage(1))
  await did('deploy', project, ...flink, ...kafka)
  await did('models', 'publish', project, model, ...kafka)

  const pids = (): string => taskManagerRoles.map((role) => cluster.pid(role)).join(' ')
  const pidsBefore = pids()
  const client = cluster.openFlink()
  const samples: Sample[] = []
  const look = async (what: string): Promise<void> => {
    const status = await eventually('the job runs', 120, async () => {
      const found = await jobStatus(client, plan.name)
      return found?.heapBytes != null && found.heapBytes > 0 ? found : null
    })
    const sample = { ...sampleOf(cluster), v8: status.heapBytes ?? Number.NaN }
    samples.push(sample)
    proof.say(`${what}: ${textOf(sample)}`)
  }
  const fleet = await Fleet.start(cluster.kafka, seededChance(1))
  const endMs = Date.now() + minutes * 60_000
  for (let deployment = 1; deployment <= deployments; deployment++) {
    // Retention is the embedded engine's: another project to the deployment, the same results.
    writeFileSync(config, first.replace('model:', `retention: { readings: '${30 + deployment} d' },\n  model:`))
    await did('deploy', project, ...flink, ...kafka)
    await look(`deployment ${deployment}`)
  }
  while (Date.now() < endMs) {
    await pause(Math.min(sampleMs, Math.max(0, endMs - Date.now())))
    await look(`${Math.max(0, Math.ceil((endMs - Date.now()) / 60_000))} minutes of load left`)
  }
  await fleet.stopReadings()
  await pause(silentAfterMs + 3000)
  await fleet.stop()

  proof.check(pids() === pidsBefore, `${deployments} deployments came and went in the same two task managers`)
  checkMemory(proof, samples, plan.partitionCount)
  const probe = new KafkaProbe(cluster.kafka, outputTopics)
  await checkOutputs(proof, probe, plan.partitionCount, async (input) =>
    expectedOutputs(plan, await activationsOf(probe), (version) => fleetPackage(Number(version)), input),
  )
  await probe.close()
  await client.close()
}

/** Looks into both JVMs; their collectors run first, so that what is counted is held by something. */
function sampleOf(cluster: DevelopmentCluster): Omit<Sample, 'v8'> {
  const each = taskManagerRoles.map((role) => {
    const pid = String(cluster.pid(role))
    const jcmd = (...args: readonly string[]): string =>
      execFileSync('jcmd', [pid, ...args], {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
        stdio: ['ignore', 'pipe', 'ignore'],
      })
    const histogram = jcmd('GC.class_histogram')
    const instancesOf = (pattern: RegExp): number =>
      [...histogram.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0)
    const metaspace = /Metaspace\s+used (\d+)K/.exec(jcmd('GC.heap_info'))
    return {
      liveHeap: Number(/^Total\s+\d+\s+(\d+)/m.exec(histogram)?.[1]),
      metaspace: Number(metaspace?.[1]) * 1024,
      resident: cluster.usage(role)?.residentBytes ?? Number.NaN,
      jobLoaders: instancesOf(/^\s*\d+:\s+(\d+)\s+\d+\s+org\.apache\.flink\.util\.\w*FirstClassLoader\b/gm),
      threads: Number(/^Threads:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
    }
  })
  const sum = (of: (found: (typeof each)[number]) => number): number => each.reduce((all, found) => all + of(found), 0)
  return {
    liveHeap: sum(({ liveHeap }) => liveHeap),
    metaspace: sum(({ metaspace }) => metaspace),
    resident: sum(({ resident }) => resident),
    jobLoaders: Math.max(...each.map(({ jobLoaders }) => jobLoaders)),
    threads: sum(({ threads }) => threads),
  }
}

function checkMemory(proof: Proof, samples: readonly Sample[], partitionCount: number): void {
  const settled = samples.slice(Math.floor(samples.length * settledShare))
  const fifth = Math.max(1, Math.floor(settled.length / 5))
  const measures = settled.length < settledLooksMin ? [] : (['liveHeap', 'metaspace', 'resident', 'threads'] as const)
  for (const what of measures) {
    const of = (part: readonly Sample[]): number => medianOf(part.map((sample) => sample[what]))
    const [before, after] = [of(settled.slice(0, fifth)), of(settled.slice(-fifth))]
    const unit = what === 'threads' ? '' : ' MB'
    const shown = (value: number): string => (what === 'threads' ? String(value) : (value / 1e6).toFixed(1))
    proof.check(
      after <= before * growthMax,
      `${what} is flat: ${shown(before)}${unit} settled, ${shown(after)}${unit} at the end (medians of fifths of ${settled.length} looks)`,
    )
  }
  const v8 = Math.max(...settled.map((sample) => sample.v8))
  proof.check(
    v8 <= v8BytesPerSubtaskMax * partitionCount,
    `V8 stays within ${(v8BytesPerSubtaskMax / 1e6) * partitionCount} MB: ${(v8 / 1e6).toFixed(1)} MB at most`,
  )
  const loaders = settled.map(({ jobLoaders }) => jobLoaders)
  proof.check(
    Math.min(...loaders) >= 1 && Math.max(...loaders) <= jobLoadersMax,
    `no class loader is lost: ${Math.min(...loaders)} to ${Math.max(...loaders)} of jobs at once, over ${deployments} deployments`,
  )
}

async function checkOutputs(
  proof: Proof,
  probe: KafkaProbe,
  partitionCount: number,
  expect: (input: FoundInput) => Promise<ReturnType<typeof collect>>,
): Promise<void> {
  const wanted = await expect(await inputOf(probe, partitionCount))
  const committed = async () =>
    collect(await readOutputs((topic, partition) => probe.committed(topic, partition), partitionCount))
  const equal = (found: Awaited<ReturnType<typeof committed>>): boolean =>
    outputTopics.every((topic) => differenceOf(topic, wanted, found) === null)
  const found = await eventually('the input is used up', 180, async () => {
    const now = await committed()
    return equal(now) ? now : null
  }).catch(committed)
  for (const topic of outputTopics) {
    const difference = differenceOf(topic, wanted, found)
    proof.check(
      difference === null && countOf(topic, found) > 0,
      `${topic}: ${countOf(topic, found)} committed records, each device's equal to the operator's${difference === null ? '' : `\n  ${difference}`}`,
    )
  }
}

function textOf({ liveHeap, metaspace, v8, resident, jobLoaders, threads }: Sample): string {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)
  return `live heap ${megabytes(liveHeap)}, metaspace ${megabytes(metaspace)}, V8 ${megabytes(v8)}, resident ${megabytes(resident)} MB, ${jobLoaders} class loaders of jobs, ${threads} threads`
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
