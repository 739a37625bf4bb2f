import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { platform } from 'node:process'
import { ConfigurationError } from '@millwright/core'
import { expect, onTestFinished, test } from 'vitest'
import { portsOf } from './bring-up.ts'
import { clusterFolder } from './cluster-folder.ts'
import { type ClusterSettings, checkClusterName, ensureSettings, readSettings } from './cluster-settings.ts'
import { ClusterSettingsError } from './errors.ts'
import { isPortFree } from './ports.ts'
import { rolesOf } from './roles.ts'

function newCache(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-settings-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const onLinux = test.skipIf(platform !== 'linux')
const allPorts = (settings: ClusterSettings): number[] => rolesOf(settings).flatMap((role) => portsOf(settings, role))

onLinux('ensureSettings() chooses once, for this user alone, and refuses other switches after (C1)', async () => {
  const cache = newCache()
  const folder = clusterFolder(cache, 'a')
  expect(readSettings(folder)).toBeNull()
  const first = await ensureSettings(cache, folder, 'a', { secure: true })
  expect(first).toMatchObject({ name: 'a', highAvailability: true, secure: true })
  expect(Buffer.from(first.kafkaClusterId, 'base64url')).toHaveLength(16)
  expect(statSync(folder.settings).mode & 0o077).toBe(0)
  expect(await ensureSettings(cache, folder, 'a', {})).toEqual(first)
  expect(await ensureSettings(cache, folder, 'a', { secure: true })).toEqual(first)
  await expect(ensureSettings(cache, folder, 'a', { highAvailability: false })).rejects.toThrow(ClusterSettingsError)
  await expect(ensureSettings(cache, folder, 'a', { flink: { a: 'b' } })).rejects.toThrow(/flink = \{\}/)
})

onLinux('no two clusters are promised a port, though neither runs (C2)', async () => {
  const cache = newCache()
  const ports: number[] = []
  for (const name of ['a', 'b', 'c'])
    ports.push(...allPorts(await ensureSettings(cache, clusterFolder(cache, name), name, { secure: true })))
  expect(new Set(ports).size).toBe(ports.length)
  // Below what the system hands out to clients, so that none of them takes the place of a dead process.
  const lowestEphemeral = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)[0])
  if (lowestEphemeral > 21_000) expect(Math.max(...ports)).toBeLessThan(lowestEphemeral)
  for (const port of ports.slice(0, 5)) expect(await isPortFree(port)).toBe(true)
})

onLinux('readSettings() refuses a folder of another version and changes nothing', async () => {
  const cache = newCache()
  const folder = clusterFolder(cache, 'a')
  const settings = await ensureSettings(cache, folder, 'a', {})
  writeFileSync(folder.settings, JSON.stringify({ ...settings, version: 99 }))
  expect(() => readSettings(folder)).toThrow(ClusterSettingsError)
})

test.each(['', '-a', 'A', 'a/b', '..', 'a b', 'x'.repeat(33)])('checkClusterName() refuses %j', (name) => {
  expect(() => checkClusterName(name)).toThrow(ConfigurationError)
})
