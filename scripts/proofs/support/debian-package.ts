import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { defaultCacheFolder } from '../../../packages/cluster/src/development/index.ts'
import { NotPossibleHere } from './proof.ts'

/**
 * Finds programs: those that a folder named by an environment variable or the PATH has, else those of Debian's package, fetched once by
 * its own client and not installed.
 *
 * @param programs By what the caller calls each, the name of its file.
 * @param libraries Packages of shared libraries that the programs want and that a machine may lack; see {@link libraryPathOf}.
 * @throws {NotPossibleHere} Where there are none.
 */
export function findPrograms<Name extends string>(
  debianPackage: string,
  variable: string,
  programs: Readonly<Record<Name, string>>,
  libraries: readonly string[] = [],
): Record<Name, string> {
  const given = process.env[variable]
  for (const folder of [...(given === undefined ? [] : [given]), ...(process.env['PATH'] ?? '').split(':')]) {
    const found = programsIn(folder, programs)
    if (found !== null) return found
  }
  const cached = join(defaultCacheFolder(), 'artifacts', `${debianPackage}-debian`)
  const fetched = programsBelow(cached, programs) ?? fetch([debianPackage, ...libraries], cached, programs)
  if (fetched === null) throw new NotPossibleHere(`Debian's package ${debianPackage} has other contents than expected`)
  return fetched
}

function programsIn<Name extends string>(
  folder: string,
  programs: Readonly<Record<Name, string>>,
): Record<Name, string> | null {
  const paths = Object.entries<string>(programs).map(([name, file]) => [name, join(folder, file)] as const)
  return paths.every(([, path]) => existsSync(path)) ? (Object.fromEntries(paths) as Record<Name, string>) : null
}

/** Debian keeps programs of daemons apart. */
function programsBelow<Name extends string>(
  folder: string,
  programs: Readonly<Record<Name, string>>,
): Record<Name, string> | null {
  return programsIn(join(folder, 'usr/bin'), programs) ?? programsIn(join(folder, 'usr/sbin'), programs)
}

/** Folders of the libraries that were fetched with a program, as `LD_LIBRARY_PATH` wants them; empty where it is installed. */
export function libraryPathOf(program: string): string {
  if (!program.startsWith(defaultCacheFolder())) return ''
  const libraries = join(dirname(program), '../lib')
  return existsSync(libraries)
    ? readdirSync(libraries)
        .map((name) => join(libraries, name))
        .join(':')
    : ''
}

function fetch<Name extends string>(
  debianPackages: readonly string[],
  folder: string,
  programs: Readonly<Record<Name, string>>,
): Record<Name, string> | null {
  const work = `${folder}.unfinished-${process.pid}`
  mkdirSync(work, { recursive: true })
  try {
    run('apt-get', ['download', ...debianPackages], work)
    const archives = readdirSync(work).filter((name) => name.endsWith('.deb'))
    for (const archive of archives) run('dpkg-deb', ['--extract', join(work, archive), join(work, 'all')], work)
    rmSync(folder, { recursive: true, force: true })
    renameSync(join(work, 'all'), folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return programsBelow(folder, programs)
}

function run(program: string, args: readonly string[], folder: string): void {
  const { status, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' })
  if (status !== 0)
    throw new NotPossibleHere(`"${program} ${args.join(' ')}" gets nothing: ${stderr ?? 'it is not there'}`)
}
