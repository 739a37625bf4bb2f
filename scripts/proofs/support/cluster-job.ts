import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureArtifacts } from '../../../packages/cluster/src/development/artifact-cache.ts'
import { flinkAdditionArtifacts, flinkArtifacts } from '../../../packages/cluster/src/development/artifacts.ts'
import { defaultCacheFolder, silentProgress } from '../../../packages/cluster/src/development/index.ts'

/** Compiles a job of one source file against Flink and its connector, and packs it. @returns Path of the jar. */
export async function compileJob(source: string, mainClass: string, folder: string): Promise<string> {
  const cache = defaultCacheFolder()
  const flink = await ensureArtifacts(cache, flinkArtifacts, silentProgress)
  const additions = await ensureArtifacts(cache, flinkAdditionArtifacts(), silentProgress)
  const classes = join(folder, 'classes')
  const jar = join(folder, `${mainClass}.jar`)
  mkdirSync(classes)
  run('javac', ['--release', '17', '-d', classes, '-classpath', `${flink}/lib/*:${additions}/*`, source])
  run('jar', ['--create', '--file', jar, '--main-class', mainClass, '-C', classes, '.'])
  return jar
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`)
}
