import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigurationError } from '@millwright/core'
import { defaultCacheFolder } from '../development/artifact-cache.ts'
import { withFileLock } from '../development/file-lock.ts'
import { runTool } from '../development/run-tool.ts'
import { findFetchTools } from '../development/toolchain.ts'

const javaFolder = fileURLToPath(new URL('../../java', import.meta.url))
const jarName = 'millwright-host.jar'
const buildMsMax = 15 * 60_000

/**
 * Returns the path of the host's jar, the same for every project: the one that `MILLWRIGHT_HOST_JAR` names, else the one that Maven
 * makes of `packages/cluster/java`, once for each state of those sources.
 *
 * @param onStep Told before something takes long.
 * @throws {ConfigurationError} When the file named is not there.
 * @throws {ToolMissingError} When it has to be built and there is no Maven.
 * @throws {ArtifactError} With Maven's own words, when it cannot be built.
 */
export async function hostJar(
  onStep: (text: string) => void,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const given = environment['MILLWRIGHT_HOST_JAR']
  if (given !== undefined && given !== '') {
    if (existsSync(given)) return given
    throw new ConfigurationError('The host cannot be deployed.', [
      { field: 'MILLWRIGHT_HOST_JAR', found: `${given}, which does not exist`, wanted: `the path of a ${jarName}` },
    ])
  }
  const hosts = join(defaultCacheFolder(environment), 'host')
  const folder = join(hosts, sourceDigest())
  const jar = join(folder, jarName)
  if (existsSync(jar)) return jar
  mkdirSync(hosts, { recursive: true })
  const lock = { waitMsMax: buildMsMax, onWait: () => onStep('Another process builds the host; waiting for it') }
  return withFileLock(join(hosts, 'lock'), lock, async () => {
    if (existsSync(jar)) return jar
    const { maven } = findFetchTools(environment)
    onStep('Building the host by Maven, once')
    const work = `${folder}.unfinished`
    rmSync(work, { recursive: true, force: true })
    const pom = join(javaFolder, 'pom.xml')
    const args = ['--batch-mode', '--quiet', '--file', pom, `-Dmillwright.build=${work}`, '-DskipTests', 'package']
    await runTool(maven, args, { what: 'build the host by Maven' })
    renameSync(work, folder)
    return jar
  })
}

/** Names the state of the host's sources. */
function sourceDigest(): string {
  const files = readdirSync(join(javaFolder, 'src/main'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  const hash = createHash('sha256')
  for (const file of [join(javaFolder, 'pom.xml'), ...files.sort()])
    hash
      .update(`${relative(javaFolder, file)}\n`)
      .update(readFileSync(file))
      .update('\n')
  return hash.digest('hex').slice(0, 16)
}
