import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findDamage, writeManifest } from './artifact-manifest.ts'
import type { ArtifactSet } from './artifacts.ts'
import { withFileLock } from './file-lock.ts'
import { fetchMavenSet } from './maven-fetch.ts'
import type { ProgressReport } from './progress.ts'
import { findFetchTools } from './toolchain.ts'
import { fetchWheelSet } from './wheel-fetch.ts'

/**
 * Artifacts kept between runs, outside the repository.
 *
 * A1. A set under its own name is whole: it is fetched beside it and renamed when its manifest is written.
 * A2. A set is used only after every file was found with its size and its checksum; a damaged one is fetched again.
 * A3. One process fetches at a time.
 */

/** Another cluster may be fetching 300 MB over a slow line. */
const fetchWaitMsMax = 30 * 60_000

/** Where artifacts and clusters are kept: `MILLWRIGHT_CACHE`, else `.cache/millwright` in the user's home. */
export function defaultCacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment['MILLWRIGHT_CACHE']
  return given === undefined || given === '' ? join(homedir(), '.cache', 'millwright') : given
}

/**
 * Returns the folder of a set, fetched where it is not in the cache whole (A1–A3).
 *
 * @throws {ToolMissingError} When it must be fetched and Maven or pip is missing.
 * @throws {ArtifactError} When the registry does not give it.
 */
export async function ensureArtifacts(
  cacheFolder: string,
  set: ArtifactSet,
  progress: ProgressReport,
): Promise<string> {
  const artifacts = join(cacheFolder, 'artifacts')
  const source = sourceOf(set)
  const folder = join(artifacts, `${set.name}-${createHash('sha256').update(source).digest('hex').slice(0, 8)}`)
  const lock = { waitMsMax: fetchWaitMsMax, onWait: () => progress.step('Another process is fetching; waiting for it') }
  return withFileLock(join(artifacts, 'lock'), lock, async () => {
    removeUnfinished(artifacts)
    if (existsSync(folder)) {
      const damage = await findDamage(folder, source)
      if (damage === null) return folder
      progress.step(`${set.name} in the cache ${damage}: it is fetched again`)
      rmSync(folder, { recursive: true, force: true })
    }
    await fetchSet(set, source, folder, progress)
    return folder
  })
}

/** Marks what is being fetched. */
const unfinishedSuffix = '.unfinished'

async function fetchSet(set: ArtifactSet, source: string, folder: string, progress: ProgressReport): Promise<void> {
  const tools = findFetchTools()
  const work = `${folder}${unfinishedSuffix}`
  const content = join(work, 'content')
  mkdirSync(content, { recursive: true })
  progress.step(`Fetching ${set.name}`)
  try {
    if (set.kind === 'maven')
      await fetchMavenSet(set, tools, content, work, (count) =>
        progress.update(`Fetching ${set.name}: ${count} files from Maven`, count, 0),
      )
    else
      await fetchWheelSet(set, tools, content, work, (done, total) =>
        progress.update(`Fetching ${set.name}: ${Math.round(total / 1e6)} MB from PyPI`, done, total),
      )
    await writeManifest(content, source)
    renameSync(content, folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** What a set is made from, as one text: another text is another set. */
function sourceOf(set: ArtifactSet): string {
  return set.kind === 'maven'
    ? [...set.coordinates, ...set.excluded.map((id) => `-${id}`)].join('\n')
    : `${set.requirement}\n${set.sha256}\n${set.folders.join(',')}`
}

/** What a process that died while it fetched has left; nobody else fetches now (A3). */
function removeUnfinished(artifacts: string): void {
  for (const name of readdirSync(artifacts))
    if (name.endsWith(unfinishedSuffix)) rmSync(join(artifacts, name), { recursive: true, force: true })
}
