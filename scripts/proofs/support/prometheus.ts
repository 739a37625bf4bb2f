import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { findPrograms } from './debian-package.ts'
import { freePort } from './free-port.ts'
import { eventually } from './proof.ts'

/** Prometheus and promtool. */
export interface PrometheusTools {
  readonly prometheus: string
  readonly promtool: string
}

/** One series with its newest value. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A Prometheus that runs. */
export interface RunningPrometheus {
  /** `http://127.0.0.1:…` */
  readonly url: string
  /** The series that a query gives now. @throws With Prometheus's own words when it is no query. */
  query(promql: string): Promise<Series[]>
  /** Reads other addresses under the name of a target file from now on. */
  retarget(job: string, addresses: readonly string[]): void
  stop(): Promise<void>
}

/** Finds Prometheus; `MILLWRIGHT_PROMETHEUS` may name its folder. @throws {NotPossibleHere} Where there is none. */
export function findPrometheus(): PrometheusTools {
  return findPrograms('prometheus', 'MILLWRIGHT_PROMETHEUS', { prometheus: 'prometheus', promtool: 'promtool' })
}

/**
 * Starts Prometheus with a configuration that is shipped and the rules beside it, on a free loopback port.
 *
 * @param folder For its data, and the files that name its targets.
 * @param targets By name of the target file, which is that of the job.
 * @param change Given the text of each file of the configuration, returns what it is to be: for shorter times, for instance.
 */
export async function startPrometheus(
  { prometheus }: PrometheusTools,
  shipped: string,
  folder: string,
  targets: Readonly<Record<string, readonly string[]>>,
  change: (text: string) => string = (text) => text,
): Promise<RunningPrometheus> {
  const configuration = join(folder, 'prometheus.yml')
  mkdirSync(join(folder, 'targets'), { recursive: true })
  cpSync(dirname(shipped), folder, { recursive: true })
  for (const name of [shipped, ...rulesBeside(shipped)]) {
    const path = join(folder, relative(dirname(shipped), name))
    writeFileSync(path, change(readFileSync(name, 'utf8')))
  }
  const retarget = (job: string, addresses: readonly string[]): void =>
    writeFileSync(join(folder, 'targets', `${job}.json`), JSON.stringify([{ targets: addresses }]))
  for (const [job, addresses] of Object.entries(targets)) retarget(job, addresses)
  const address = `127.0.0.1:${await freePort()}`
  const child = spawn(
    prometheus,
    [
      `--config.file=${configuration}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  )
  const query = async (promql: string): Promise<Series[]> => {
    const response = await fetch(`http://${address}/api/v1/query?query=${encodeURIComponent(promql)}`)
    const answer = (await response.json()) as Answer
    if (answer.status !== 'success') throw new Error(`${promql}: ${answer.error}`)
    return answer.data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
  }
  await eventually('Prometheus', 60, async () => ((await query('vector(1)').catch(() => null)) === null ? null : true))
  return {
    url: `http://${address}`,
    query,
    retarget,
    async stop() {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

type Answer =
  | { readonly status: 'error'; readonly error: string }
  | {
      readonly status: 'success'
      readonly data: { readonly result: { metric: Record<string, string>; value: [number, string] }[] }
    }

/** What `promtool check metrics` has against the metrics of a plant or gateway: names, units, types, help. Empty where nothing. */
export async function complaintsAboutMetrics({ promtool }: PrometheusTools, url: string): Promise<string> {
  const input = await (await fetch(`${url}/metrics`)).text()
  const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input, encoding: 'utf8' })
  return status === 0 ? '' : `${stdout}${stderr}`.trim()
}

/** The files of rules that are shipped beside a configuration. */
export function rulesBeside(shipped: string): string[] {
  const folder = join(dirname(shipped), 'rules')
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yml'))
    .map((name) => join(folder, name))
}
