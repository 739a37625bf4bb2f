import { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { WheelArtifactSet } from './artifacts.ts'
import { runTool } from './run-tool.ts'
import type { FetchTools } from './toolchain.ts'

/** How often the growing file is looked at: pip shows its own progress only to a terminal. */
const pollMs = 250

/**
 * Installs a wheel into `workFolder` by pip, which refuses any file but the one with the pinned hash, and moves the wanted
 * folders of it to `folder`.
 *
 * @throws {ArtifactError} With pip's own words.
 */
export async function fetchWheelSet(
  set: WheelArtifactSet,
  tools: FetchTools,
  folder: string,
  workFolder: string,
  onBytes: (doneBytes: number, totalBytes: number) => void,
): Promise<void> {
  const requirements = join(workFolder, 'requirements.txt')
  const target = join(workFolder, 'target')
  const temporary = join(workFolder, 'temporary')
  mkdirSync(temporary)
  writeFileSync(requirements, `${set.requirement} --hash=sha256:${set.sha256}\n`)
  const timer = setInterval(() => onBytes(sizeOf(temporary), set.sizeBytes), pollMs)
  try {
    await runTool(
      tools.python,
      [
        ...['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--no-deps', '--no-compile'],
        // The cache keeps what is used of it; pip's own copy of 300 MB would be a second one.
        ...['--no-cache-dir', '--only-binary', ':all:', '--require-hashes', '--requirement', requirements],
        ...['--target', target],
      ],
      { what: `fetch ${set.name} by pip`, environment: { TMPDIR: temporary } },
    )
  } finally {
    clearInterval(timer)
  }
  for (const wanted of set.folders) renameSync(join(target, wanted), join(folder, basename(wanted)))
}

function sizeOf(folder: string): number {
  let bytes = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0
  return bytes
}
