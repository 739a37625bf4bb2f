import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { defaultCacheFolder } from '../../../packages/cluster/src/development/index.ts'
import { eventually, NotPossibleHere } from './proof.ts'

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
  /** The series that a query gives now. */
  query(promql: string): Promise<Series[]>
  stop(): Promise<void>
}

/**
 * Finds Prometheus: those that `MILLWRIGHT_PROMETHEUS` (a folder) or the PATH has, else those of Debian's package, fetched once by its own client
 * and not installed.
 *
 * @throws {NotPossibleHere} Where there is none.
 */
export function findPrometheus(): PrometheusTools {
  const given = process.env['MILLWRIGHT_PROMETHEUS']
  for (const folder of [...(given === undefined ? [] : [given]), ...(process.env['PATH'] ?? '').split(':')]) {
    const tools = toolsIn(folder)
    if (tools !== null) return tools
  }
  const cached = join(defaultCacheFolder(), 'artifacts', 'prometheus-debian')
  return toolsIn(join(cached, 'usr/bin')) ?? fetched(cached)
}

function toolsIn(folder: string): PrometheusTools | null {
  const tools = { prometheus: join(folder, 'prometheus'), promtool: join(folder, 'promtool') }
  return Object.values(tools).every((path) => existsSync(path)) ? tools : null
}

function fetched(folder: string): PrometheusTools {
  const work = `${folder}.unfinished-${process.pid}`
  mkdirSync(work, { recursive: true })
  try {
    run('apt-get', ['download', 'prometheus'], work)
    const archive = readdirSync(work).find((name) => name.endsWith('.deb'))
    run('dpkg-deb', ['--extract', join(work, archive ?? ''), join(work, 'all')], work)
    rmSync(folder, { recursive: true, force: true })
    renameSync(join(work, 'all'), folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  const tools = toolsIn(join(folder, 'usr/bin'))
  if (tools === null) throw new NotPossibleHere("Debian's package of Prometheus has other contents than expected")
  return tools
}

function run(program: string, args: readonly string[], folder: string): void {
  const { status, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' })
  if (status !== 0)
    throw new NotPossibleHere(`there is no Prometheus, and "${program}" gets none: ${stderr ?? 'it is not there'}`)
}

/**
 * Starts Prometheus with a configuration that is shipped, a scrape each second, on a free loopback port.
 *
 * @param folder For its data, and the files that name its targets.
 * @param targets By job of the configuration.
 */
export async function startPrometheus(
  { prometheus }: PrometheusTools,
  shipped: string,
  folder: string,
  targets: Readonly<Record<string, readonly string[]>>,
): Promise<RunningPrometheus> {
  const configuration = join(folder, 'prometheus.yml')
  mkdirSync(join(folder, 'targets'), { recursive: true })
  cpSync(shipped, configuration)
  for (const [job, addresses] of Object.entries(targets))
    writeFileSync(join(folder, 'targets', `${job}.json`), JSON.stringify([{ targets: addresses }]))
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
    const { data } = (await response.json()) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] }
    }
    return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
  }
  await eventually('Prometheus', 60, async () => ((await query('up').catch(() => null)) === null ? null : true))
  return {
    query,
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('a server that listens has a port')
  return address.port
}
