import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { findPrograms } from './debian-package.ts'
import { freePort } from './free-port.ts'
import { eventually } from './proof.ts'

/** A node exporter that runs. */
export interface RunningNodeExporter {
  /** `127.0.0.1:…` */
  readonly address: string
  stop(): Promise<void>
}

/** Finds the node exporter; `MILLWRIGHT_NODE_EXPORTER` may name its folder. @throws {NotPossibleHere} Where there is none. */
export function findNodeExporter(): string {
  return findPrograms('prometheus-node-exporter', 'MILLWRIGHT_NODE_EXPORTER', { exporter: 'prometheus-node-exporter' })
    .exporter
}

/** Starts the node exporter on a loopback port (a free one where none is given), with the collectors that the rules and dashboards ask for. */
export async function startNodeExporter(program: string, address: string | null = null): Promise<RunningNodeExporter> {
  const at = address ?? `127.0.0.1:${await freePort()}`
  const collectors = ['cpu', 'meminfo', 'diskstats', 'filesystem', 'timex'].map((name) => `--collector.${name}`)
  const child = spawn(
    program,
    [`--web.listen-address=${at}`, '--collector.disable-defaults', ...collectors, '--log.level=error'],
    { stdio: 'ignore' },
  )
  await eventually('the node exporter', 30, async () =>
    (await fetch(`http://${at}/metrics`).catch(() => null))?.ok === true ? true : null,
  )
  return {
    address: at,
    async stop() {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}
