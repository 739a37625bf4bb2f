import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MavenArtifactSet } from './artifacts.ts'
import { runTool } from './run-tool.ts'
import type { FetchTools } from './toolchain.ts'

const dependencyPlugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'

/**
 * Copies the jars of a set, and what they need, into `folder`. Maven takes them from the user's own repository or
 * mirror, and refuses (`-C`) what does not have its published checksum.
 *
 * @param workFolder For the generated pom.
 * @throws {ArtifactError} With Maven's own words.
 */
export async function fetchMavenSet(
  set: MavenArtifactSet,
  tools: FetchTools,
  folder: string,
  workFolder: string,
  onFile: (fileCount: number) => void,
): Promise<void> {
  const pom = join(workFolder, 'pom.xml')
  writeFileSync(pom, pomOf(set))
  let fileCount = 0
  await runTool(
    tools.maven,
    [
      '--batch-mode',
      '--strict-checksums',
      '--file',
      pom,
      `${dependencyPlugin}:copy-dependencies`,
      `-DoutputDirectory=${folder}`,
      '-DincludeScope=runtime',
      ...(set.excluded.length > 0 ? [`-DexcludeArtifactIds=${set.excluded.join(',')}`] : []),
    ],
    {
      what: `fetch ${set.name} by Maven`,
      onLine(line) {
        if (line.startsWith('Downloaded') || line.includes('Downloaded from')) onFile(++fileCount)
      },
    },
  )
}

/** A pom that has nothing but the coordinates as dependencies. */
export function pomOf(set: MavenArtifactSet): string {
  const dependencies = set.coordinates.map((coordinate) => {
    const [group, artifact, version] = coordinate.split(':')
    return `    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
  })
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millwright.development</groupId>
  <artifactId>${set.name}</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`
}
