import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { arch, platform } from 'node:process'
import { ToolMissingError } from './errors.ts'

/** The one feature release of Java that every part of the cluster was tried on: Flink's RocksDB and Javet included. */
const javaFeatureRelease = 17

/** Programs of this machine that start the cluster, as paths or names on the PATH. */
export interface Toolchain {
  readonly java: string
  readonly javac: string
  readonly keytool: string
}

/** Programs that are only needed while artifacts are fetched. */
export interface FetchTools {
  readonly maven: string
  readonly python: string
}

/**
 * Finds a JDK: the one of `JAVA_HOME`, else the one on the PATH.
 *
 * @throws {ToolMissingError} When there is none, it is not of release 17, it is a JRE, or the machine is not Linux on x64 or arm64.
 */
export function findToolchain(environment: NodeJS.ProcessEnv = process.env): Toolchain {
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64'))
    throw new ToolMissingError(
      `The development cluster runs on Linux on x64 or arm64: this is ${platform} on ${arch}.`,
      {
        details: { platform, arch },
      },
    )
  const home = environment['JAVA_HOME']
  const tool = (name: string): string => (home === undefined || home === '' ? name : join(home, 'bin', name))
  const install = `Install a JDK ${javaFeatureRelease} (Debian: apt-get install openjdk-17-jdk-headless), or set JAVA_HOME to one.`
  const version = outputOf(tool('java'), ['-version'])
  if (version === null) throw new ToolMissingError(`No Java was found as "${tool('java')}". ${install}`)
  const release = javaRelease(version)
  if (release !== javaFeatureRelease)
    throw new ToolMissingError(
      `The Java found as "${tool('java')}" is of release ${release ?? 'unknown'}, wanted ${javaFeatureRelease}. ${install}`,
      { details: { found: release } },
    )
  if (outputOf(tool('javac'), ['-version']) === null)
    throw new ToolMissingError(`The Java found has no compiler "${tool('javac')}": it is a JRE. ${install}`)
  return { java: tool('java'), javac: tool('javac'), keytool: tool('keytool') }
}

/**
 * Finds Maven, and a Python with pip (`MILLWRIGHT_PYTHON`, else `python3`).
 *
 * @throws {ToolMissingError}
 */
export function findFetchTools(environment: NodeJS.ProcessEnv = process.env): FetchTools {
  const maven = 'mvn'
  if (outputOf(maven, ['-v']) === null)
    throw new ToolMissingError('Maven was not found as "mvn". Install it (Debian: apt-get install maven).')
  const candidates = [environment['MILLWRIGHT_PYTHON'], 'python3'].filter((name) => name !== undefined && name !== '')
  const python = candidates.find((name) => outputOf(name as string, ['-m', 'pip', '--version']) !== null)
  if (python === undefined)
    throw new ToolMissingError(
      `No Python with pip was found as ${candidates.map((name) => `"${name}"`).join(' or ')}. Install it (Debian: apt-get install python3-pip), or set MILLWRIGHT_PYTHON to one.`,
    )
  return { maven, python }
}

/** Reads the feature release out of what `java -version` prints; `null` when it is not there. */
export function javaRelease(versionText: string): number | null {
  const match = /version "(?:1\.)?(\d+)/.exec(versionText)
  return match === null ? null : Number(match[1])
}

/** What a program prints on both streams; `null` when it cannot be run or fails. */
function outputOf(program: string, args: readonly string[]): string | null {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 30_000 })
  return status === 0 ? `${stdout}${stderr}` : null
}
