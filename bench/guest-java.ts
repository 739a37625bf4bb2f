import { join } from 'node:path'
import { ensureArtifacts } from '../packages/cluster/src/development/artifact-cache.ts'
import { flinkAdditionArtifacts, flinkArtifacts } from '../packages/cluster/src/development/artifacts.ts'
import { defaultCacheFolder, streamProgress } from '../packages/cluster/src/development/index.ts'
import { runTool } from '../packages/cluster/src/development/run-tool.ts'
import { findToolchain } from '../packages/cluster/src/development/toolchain.ts'
import { buildHost } from './host-build.ts'
import { benchScratch } from './machine.ts'

/** A program in Java beside the host's own classes, compiled: what starts it. */
export interface GuestJava {
  readonly java: string
  readonly classPath: string
}

/**
 * Compiles one of the benchmarks in `bench/java` that call the guest as the host does.
 *
 * @throws {ToolMissingError} Where there is no JDK.
 */
export async function guestJava(name: 'GuestSpeed' | 'GuestHeap'): Promise<GuestJava> {
  const { classes } = await buildHost()
  const progress = streamProgress()
  const flink = await ensureArtifacts(defaultCacheFolder(), flinkArtifacts, progress)
  const additions = await ensureArtifacts(defaultCacheFolder(), flinkAdditionArtifacts(), progress)
  const { java, javac } = findToolchain()
  const compiled = join(benchScratch, 'guest-java')
  const classPath = [compiled, classes, `${flink}/lib/*`, `${additions}/*`].join(':')
  const source = join(import.meta.dirname, `java/org/millwright/host/${name}.java`)
  await runTool(javac, ['-cp', classPath, '-d', compiled, source], { what: 'compile the benchmark' })
  return { java, classPath }
}
