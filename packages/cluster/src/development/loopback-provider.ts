import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runTool } from './run-tool.ts'
import type { Toolchain } from './toolchain.ts'

const source = join(import.meta.dirname, 'java', 'millwright', 'development', 'LoopbackHttpServerProvider.java')

/** What lets the provider reach the one that it stands before. */
const exports = '--add-exports=jdk.httpserver/sun.net.httpserver=ALL-UNNAMED'

/** Options of a JVM, beside the class path, that make its Prometheus reporter listen on the loopback address alone. */
export const loopbackProviderOptions: readonly string[] = [
  exports,
  '-Dcom.sun.net.httpserver.HttpServerProvider=millwright.development.LoopbackHttpServerProvider',
]

/**
 * Returns a folder of the class path that holds the provider, compiled where it is not in the cache.
 *
 * @throws {ArtifactError} With the compiler's words.
 */
export async function ensureLoopbackProvider(cacheFolder: string, toolchain: Toolchain): Promise<string> {
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 8)
  const folder = join(cacheFolder, 'artifacts', `loopback-provider-${hash}`)
  if (existsSync(folder)) return folder
  const unfinished = `${folder}.${process.pid}.unfinished`
  mkdirSync(unfinished, { recursive: true })
  await runTool(toolchain.javac, ['-Xlint:none', exports, '-d', unfinished, source], {
    what: 'compile the HTTP server provider',
  })
  try {
    renameSync(unfinished, folder)
  } catch (error) {
    // Another process was quicker, with the same classes.
    if (!existsSync(folder)) throw error
    rmSync(unfinished, { recursive: true, force: true })
  }
  return folder
}
