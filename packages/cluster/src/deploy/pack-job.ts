import { createHash } from 'node:crypto'
import { unzipSync, zipSync } from 'fflate'
import type { GuestBundle } from '../bundle/bundle-guest.ts'
import type { JobDescription } from '../bundle/job-description.ts'

/** A job that Flink can be given. */
export interface PackedJob {
  readonly jar: Uint8Array
  /** Of everything in the jar that decides results, 12 hexadecimal digits: equal jobs have equal ones. */
  readonly digest: string
}

/** Times in the jar are this one, so that equal jobs are equal bytes. A zip knows no earlier year than 1980. */
const packedAt = new Date(1980, 0, 2)

/** Puts a project's script, its source map and the description of the job into a copy of the host's jar. */
export function packJob(hostJar: Uint8Array, guest: GuestBundle, job: JobDescription): PackedJob {
  const encoder = new TextEncoder()
  const own = {
    'guest.js': encoder.encode(guest.script),
    'guest.js.map': encoder.encode(guest.sourceMap),
    'job.json': encoder.encode(JSON.stringify(job)),
  }
  const entries: Record<string, Uint8Array> = { ...unzipSync(hostJar), ...own }
  const hash = createHash('sha256')
  for (const name of Object.keys(entries).sort()) {
    // Which paths the sources had is no part of what the job does.
    if (name === 'guest.js.map' || name.endsWith('/')) continue
    hash
      .update(`${name}\n`)
      .update(entries[name] as Uint8Array)
      .update('\n')
  }
  return { jar: zipSync(entries, { level: 6, mtime: packedAt }), digest: hash.digest('hex').slice(0, 12) }
}
