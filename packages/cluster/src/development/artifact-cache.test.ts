import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { defaultCacheFolder, ensureArtifacts } from './artifact-cache.ts'
import { findDamage, writeManifest } from './artifact-manifest.ts'
import { flinkAdditionArtifacts, kafkaArtifacts, kafkaVersion, type MavenArtifactSet } from './artifacts.ts'
import { ToolMissingError } from './errors.ts'
import { pomOf } from './maven-fetch.ts'
import { silentProgress } from './progress.ts'

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-cache-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('findDamage() finds a file that is gone, cut, or has one other byte, and another source (A2)', async () => {
  const folder = newFolder()
  mkdirSync(join(folder, 'lib'))
  const bytes = Buffer.from('the bytes of a jar')
  const path = join(folder, 'lib', 'a.jar')
  writeFileSync(path, bytes)
  expect(await findDamage(folder, 's')).toBe('was not finished')
  await writeManifest(folder, 's')
  expect(await findDamage(folder, 's')).toBeNull()
  expect(await findDamage(folder, 't')).toBe('was made from other versions')
  for (let index = 0; index < bytes.length; index++) {
    const other = Buffer.from(bytes)
    other[index] = (other[index] ?? 0) ^ 1
    writeFileSync(path, other)
    expect(await findDamage(folder, 's')).toBe('has a lib/a.jar with another checksum')
  }
  writeFileSync(path, bytes.subarray(1))
  expect(await findDamage(folder, 's')).toBe('has a lib/a.jar of another size')
  rmSync(path)
  expect(await findDamage(folder, 's')).toBe('lacks lib/a.jar')
})

/** A Maven that copies one jar, as far as anybody can see. */
function fakeMaven(jar: string): string {
  const tools = newFolder()
  const script = `#!/bin/sh
for word in "$@"; do case "$word" in -DoutputDirectory=*) printf '${jar}' > "\${word#-DoutputDirectory=}/a.jar";; esac; done
echo fetched >> ${join(tools, 'calls')}
`
  for (const name of ['mvn', 'python3']) writeFileSync(join(tools, name), script, { mode: 0o755 })
  return tools
}

const set: MavenArtifactSet = { kind: 'maven', name: 'some', coordinates: ['g:a:1'], excluded: [] }

test('ensureArtifacts() fetches once, again after damage, and never takes a half-finished set (A1, A2)', async () => {
  const cache = newFolder()
  const tools = fakeMaven('jar')
  // The shell's own words are built in; nothing else of the machine's is on the path.
  vi.stubEnv('PATH', tools)
  vi.stubEnv('MILLWRIGHT_PYTHON', '')
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  const fetches = (): number =>
    existsSync(join(tools, 'calls')) ? readFileSync(join(tools, 'calls'), 'utf8').split('\n').length - 1 : 0

  mkdirSync(join(cache, 'artifacts', 'some-00000000.unfinished', 'content'), { recursive: true })
  const folder = await ensureArtifacts(cache, set, silentProgress)
  const once = fetches()
  expect(readFileSync(join(folder, 'a.jar'), 'utf8')).toBe('jar')
  expect(readdirSync(join(cache, 'artifacts')).filter((name) => name.endsWith('.unfinished'))).toEqual([])
  expect(await ensureArtifacts(cache, set, silentProgress)).toBe(folder)
  expect(fetches()).toBe(once)

  writeFileSync(join(folder, 'a.jar'), 'jam')
  expect(await ensureArtifacts(cache, set, silentProgress)).toBe(folder)
  expect(fetches()).toBeGreaterThan(once)
  expect(readFileSync(join(folder, 'a.jar'), 'utf8')).toBe('jar')
  const other = await ensureArtifacts(cache, { ...set, coordinates: ['g:a:2'] }, silentProgress)
  expect(other).not.toBe(folder)
})

test('ensureArtifacts() says what to install where Maven is missing', async () => {
  vi.stubEnv('PATH', newFolder())
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  const error = await ensureArtifacts(newFolder(), set, silentProgress).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ToolMissingError)
  expect((error as Error).message).toContain('apt-get install maven')
})

test('pomOf() names each coordinate, and Javet is beside Flink’s jars', () => {
  expect(pomOf(kafkaArtifacts(kafkaVersion))).toContain(
    '<groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.4.0</version>',
  )
  expect(flinkAdditionArtifacts().coordinates.some((coordinate) => coordinate.includes(':javet-v8-linux-'))).toBe(true)
})

test('defaultCacheFolder() is outside the repository unless told otherwise', () => {
  expect(defaultCacheFolder({ MILLWRIGHT_CACHE: '/var/cache/m' })).toBe('/var/cache/m')
  expect(defaultCacheFolder({})).toMatch(/\.cache\/millwright$/)
})
