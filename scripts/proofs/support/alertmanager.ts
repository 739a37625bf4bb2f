import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findPrograms } from './debian-package.ts'
import { freePort } from './free-port.ts'
import { eventually, NotPossibleHere } from './proof.ts'

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
  const [program, ...before] = withItsTemplates(alertmanager)
  const child = spawn(
    program,
    [
      ...before,
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

const templatesFolder = '/usr/share/prometheus/alertmanager'

/**
 * Debian's Alertmanager reads its templates where its package would have put them. Where it is not installed, it gets a mount namespace in
 * which they are there, and nobody else's files change.
 *
 * @throws {NotPossibleHere} Where no such namespace is permitted.
 */
function withItsTemplates(alertmanager: string): readonly [string, ...string[]] {
  const share = join(dirname(alertmanager), '../share')
  if (existsSync(templatesFolder) || !existsSync(join(share, 'prometheus/alertmanager'))) return [alertmanager]
  // Time zones, which routes may name, lie there too: they are kept.
  const zones =
    '[ ! -d /usr/share/zoneinfo ] || { mkdir -p "$0/zoneinfo" && mount --bind /usr/share/zoneinfo "$0/zoneinfo"; }'
  const script = `${zones} && mount --rbind "$0" /usr/share && exec "$@"`
  const flags = ['-m', '-rm'].find(
    (some) => spawnSync('unshare', [some, 'sh', '-c', script, share, 'true']).status === 0,
  )
  if (flags === undefined)
    throw new NotPossibleHere(
      `Alertmanager wants ${templatesFolder}, and a namespace in which it is there is not permitted`,
    )
  return ['unshare', flags, 'sh', '-c', script, share, alertmanager]
}
