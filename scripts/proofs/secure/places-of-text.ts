import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { authorityPath } from '../../../packages/cluster/src/development/certificates.ts'
import type { DevelopmentCluster } from '../../../packages/cluster/src/development/index.ts'

/** Something that others may read, and what stands in it. */
export interface Place {
  readonly name: string
  readonly text: string
}

/** All that Flink's REST tells of a job and of itself, logs included: whoever reaches its page reads the same. */
export async function placesOfRest(cluster: DevelopmentCluster, jobIds: readonly string[]): Promise<Place[]> {
  const ca = readFileSync(authorityPath(cluster.folder))
  const places: Place[] = []
  const read = async (path: string): Promise<string> => {
    const text = await textOf(`${cluster.flinkUrl}${path}`, ca)
    places.push({ name: path, text })
    return text
  }
  for (const path of ['/config', '/overview', '/jobs/overview', '/jars']) await read(path)
  for (const id of jobIds) {
    const job = JSON.parse(await read(`/jobs/${id}`)) as { vertices: { id: string }[] }
    for (const part of ['config', 'plan', 'exceptions', 'accumulators', 'checkpoints', 'checkpoints/config'])
      await read(`/jobs/${id}/${part}`)
    for (const vertex of job.vertices) await read(`/jobs/${id}/vertices/${vertex.id}`)
  }
  const { taskmanagers } = JSON.parse(await read('/taskmanagers')) as { taskmanagers: { id: string }[] }
  const processes = ['/jobmanager', ...taskmanagers.map(({ id }) => `/taskmanagers/${encodeURIComponent(id)}`)]
  for (const path of ['/jobmanager/config', '/jobmanager/environment']) await read(path)
  for (const process of processes) {
    const { logs } = JSON.parse(await read(`${process}/logs`)) as { logs: { name: string }[] }
    for (const { name } of logs) await read(`${process}/logs/${encodeURIComponent(name)}`)
    for (const part of ['log', 'stdout']) await read(`${process}/${part}`)
  }
  return places
}

/** What stands in files, in folders too, whatever is in them. */
export function placesOfFiles(paths: readonly string[]): Place[] {
  return paths.flatMap((path): Place[] => {
    if (!existsSync(path)) return []
    if (!statSync(path).isDirectory()) return [{ name: path, text: readFileSync(path, 'latin1') }]
    return placesOfFiles(readdirSync(path).map((name) => join(path, name)))
  })
}

/** The arguments of every process of this machine. */
export function placesOfCommandLines(): Place[] {
  return readdirSync('/proc').flatMap((pid): Place[] => {
    if (!/^\d+$/.test(pid)) return []
    try {
      return [{ name: `/proc/${pid}/cmdline`, text: readFileSync(`/proc/${pid}/cmdline`, 'latin1') }]
    } catch {
      // It has ended since.
      return []
    }
  })
}

/** Names the places that a text stands in, however it is written: as it is, in URLs, in base64. */
export function placesWith(places: readonly Place[], text: string): string[] {
  const forms = [text, encodeURIComponent(text), Buffer.from(text).toString('base64').replace(/=+$/, '')]
  return places.filter((place) => forms.some((form) => place.text.includes(form))).map(({ name }) => name)
}

async function textOf(url: string, ca: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { ca }, (answer) => {
      let text = ''
      answer.setEncoding('latin1')
      answer.on('data', (part: string) => {
        text += part
      })
      answer.on('end', () => resolve(text))
    }).on('error', reject)
  })
}
