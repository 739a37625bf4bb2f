import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findPrograms, freePort } from './debian-package.ts'
import { eventually } from './proof.ts'

/** Alertmanager and amtool. */
export interface AlertmanagerTools {
  readonly alertmanager: string
  readonly amtool: string
}

/** An Alertmanager that runs. */
export interface RunningAlertmanager {
  /** `http://127.0.0.1:…` */
  readonly url: string
  /** What it knows of alerts now, as its API has them. */
  alerts(): Promise<readonly KnownAlert[]>
  stop(): Promise<void>
}

export interface KnownAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
  readonly endsAt: string
}

/** Finds Alertmanager; `MILLWRIGHT_ALERTMANAGER` may name its folder. @throws {NotPossibleHere} Where there is none. */
export function findAlertmanager(): AlertmanagerTools {
  return findPrograms('prometheus-alertmanager', 'MILLWRIGHT_ALERTMANAGER', {
    alertmanager: 'prometheus-alertmanager',
    amtool: 'amtool',
  })
}

/**
 * Starts Alertmanager alone, in no cluster, on a free loopback port.
 *
 * @param folder For its data.
 */
export async function startAlertmanager(
  { alertmanager }: AlertmanagerTools,
  configuration: string,
  folder: string,
): Promise<RunningAlertmanager> {
  mkdirSync(folder, { recursive: true })
  const address = `127.0.0.1:${await freePort()}`
  const child = spawn(
    alertmanager,
    [
      `--config.file=${configuration}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--cluster.listen-address=',
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  )
  const url = `http://${address}`
  await eventually('Alertmanager', 60, async () =>
    (await fetch(`${url}/-/ready`).catch(() => null))?.ok === true ? true : null,
  )
  return {
    url,
    alerts: async () => (await (await fetch(`${url}/api/v2/alerts`)).json()) as KnownAlert[],
    async stop() {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}
