/**
 * Proof: nothing leaves the site. The whole plant, every command of it, runs in a network namespace that has a loopback and
 * no route. Any attempt to connect outward, or to resolve a name, makes the kernel count a packet without a route
 * (`OutNoRoutes` in /proc/net/snmp, `Ip6OutNoRoutes` in snmp6): the counts must not move. Afterwards attempts are made on
 * purpose, by address and by name, and must be counted: else the proof would have proven nothing.
 *
 *   node scripts/proofs/no-route.ts
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { millwright } from '../../bench/peers.ts'
import { statusOf } from '../../bench/plant-process.ts'
import { reenter, tryCommand } from './support/namespaces.ts'
import { proofPackage } from './support/packages.ts'
import { eventually, NotPossibleHere, type Proof, prove } from './support/proof.ts'
import {
  isAcknowledged,
  post,
  postReadings,
  startProofPlant,
  windowMs,
  writeProofProject,
} from './support/proof-plant.ts'
import { readingLines } from './support/readings.ts'

/** Addresses kept for documentation (RFC 5737, RFC 3849): no machine has them, and none is asked. */
const outside4 = '192.0.2.1'
const outside6 = '2001:db8::1'
const outsideName = 'millwright-proof.example'
const deviceCount = 20
const tickCount = 100

await prove('no-route', 180, async (proof) => {
  await reenter([['-rnm'], ['-nm']])
  closeNetwork(proof)
  const before = unroutedPackets()
  proof.say(`packets without a route before: IPv4 ${before.ip4}, IPv6 ${before.ip6}`)
  await useEverything(proof)
  const after = unroutedPackets()
  proof.say(`packets without a route after: IPv4 ${after.ip4}, IPv6 ${after.ip6}`)
  proof.check(after.ip4 === before.ip4, 'no attempt to reach an address or a name by IPv4')
  proof.check(after.ip6 === before.ip6, 'no attempt to reach an address or a name by IPv6')
  await attemptsAreSeen(proof)
})

/** Loopback alone, and a name server that is outside, so that asking for a name is an attempt like any other. */
function closeNetwork(proof: Proof): void {
  const up = tryCommand('ip', 'link', 'set', 'lo', 'up')
  if (up !== null) throw new NotPossibleHere(`the loopback cannot be set up: ${up}`)
  const resolver = join(proof.folder, 'resolv.conf')
  writeFileSync(resolver, `nameserver ${outside4}\noptions timeout:1 attempts:1\n`)
  const mounted = tryCommand('mount', '--bind', resolver, '/etc/resolv.conf')
  if (mounted !== null) throw new NotPossibleHere(`the resolver cannot be replaced: ${mounted}`)
  const routes = readFileSync('/proc/net/route', 'utf8').trim().split('\n').length - 1
  proof.check(routes === 0, 'there is no route')
}

/** Every command, and every way in and out of a running plant. */
async function useEverything(proof: Proof): Promise<void> {
  const project = writeProofProject(join(proof.folder, 'project'), proofPackage('first', true))
  const data = join(proof.folder, 'data')
  const startMs = Math.floor((Date.now() - 3_600_000) / windowMs) * windowMs
  const linesFrom = (firstTick: number): string[] =>
    readingLines({ firstDevice: 0, deviceCount, firstTick, tickCount, startMs })
  const input = join(proof.folder, 'readings.ndjson')
  writeFileSync(input, `${linesFrom(tickCount).join('\n')}\n`)
  const packageFile = join(proof.folder, 'second.mwmodel')
  writeFileSync(packageFile, proofPackage('second', false))

  const plant = await startProofPlant(proof, project, data)
  const first = linesFrom(0)
  const events = `{"deviceId":"press-0001","timestamp":${startMs},"type":"maintenance"}\n`
  proof.check(isAcknowledged(await postReadings(plant.url, `${first.join('\n')}\n`), first.length), 'readings by HTTP')
  proof.check(
    (await post(`${plant.url}/api/events`, 'application/x-ndjson', Buffer.from(events))).status === 202,
    'device events by HTTP',
  )
  proof.check(
    (await post(`${plant.url}/api/models`, 'application/octet-stream', Buffer.from(proofPackage('third', false))))
      .status === 201,
    'a model by HTTP',
  )
  const alerts = firstAlert(plant.url)
  for (const path of ['/', '/metrics', '/healthz', '/readyz', '/api/status', '/api/models', '/api/openapi.json'])
    proof.check((await fetch(`${plant.url}${path}`)).status === 200, `GET ${path}`)
  await command(proof, 'ingest', project, '--data', data, '--input', input)
  proof.check((await alerts).includes('"deviceId":"press-'), 'alerts by server-sent events')
  await command(proof, 'models', 'publish', project, packageFile, '--data', data)
  await command(proof, 'models', 'rollback', project, '--data', data)
  await command(proof, 'models', 'list', project, '--data', data)
  await eventually('everything is processed', 30, async () =>
    (await statusOf(plant.url)).lag.records === 0 ? true : null,
  )
  await commandIfThere(proof, 'topics', 'list', '--data', data)
  await commandIfThere(proof, 'topics', 'export', 'alert-signals', '--data', data)
  await plant.stop()
  proof.check(true, 'run, and stopped by SIGTERM')

  const out = join(proof.folder, 'out')
  await command(proof, 'replay', project, '--input', input, '--out', out)
  await command(proof, 'init', join(proof.folder, 'new-plant'), '--from', input)
  await command(proof, 'models', 'inspect', packageFile)
  await command(proof, 'models', 'verify', packageFile, '--project', project)
  const rows = join(proof.folder, 'rows.ndjson')
  writeFileSync(rows, '[1,0.5,4]\n[null,1.5,4]\n')
  await command(proof, 'score', '--model', packageFile, '--input', rows)
  await command(proof, 'simulate', '--devices', '2', '--duration', '60s')
  await commandIfThere(proof, 'doctor', project)
}

/** The first alert that a client of the stream gets. */
function firstAlert(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(`${url}/api/events`, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
        const line = text.split('\n').find((one, i, all) => one.startsWith('data: ') && i < all.length - 1)
        if (line === undefined) return
        request.destroy()
        resolve(line)
      })
    })
    request.on('error', reject)
  })
}

async function command(proof: Proof, ...args: readonly string[]): Promise<void> {
  const [program, main] = millwright
  const child = spawn(program, [main, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  const name = args.slice(0, args[0] === 'models' || args[0] === 'topics' ? 2 : 1).join(' ')
  if (code !== 0) proof.say(said.slice(0, 1000))
  proof.check(code === 0, `millwright ${name}`)
}

/** A command that this release may not have yet. */
async function commandIfThere(proof: Proof, name: string, ...args: readonly string[]): Promise<void> {
  const file = join(import.meta.dirname, `../../packages/cli/src/commands/${name}.ts`)
  if (existsSync(file)) await command(proof, name, ...args)
  else proof.say(`millwright ${name} is not part of this release: left out`)
}

async function attemptsAreSeen(proof: Proof): Promise<void> {
  const attempts: readonly (readonly [string, 'ip4' | 'ip6', string])[] = [
    ['an address by IPv4', 'ip4', outside4],
    ['an address by IPv6', 'ip6', outside6],
    ['a name', 'ip4', outsideName],
  ]
  for (const [what, family, host] of attempts) {
    const before = unroutedPackets()[family]
    await new Promise<void>((resolve) => {
      const socket = connect({ host, port: 443 })
      socket.once('error', () => resolve()).once('connect', () => resolve(socket.destroy() && undefined))
    })
    proof.check(unroutedPackets()[family] > before, `control: an attempt to reach ${what} is counted`)
  }
}

/** What the kernel counted in this namespace. Source: Linux, Documentation/networking/snmp_counter.rst. */
function unroutedPackets(): { readonly ip4: number; readonly ip6: number } {
  const [names = [], values = []] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Ip:'))
    .map((line) => line.split(/\s+/))
  const ip4 = Number(values[names.indexOf('OutNoRoutes')])
  const ip6 = Number(/^Ip6OutNoRoutes\s+(\d+)/m.exec(readFileSync('/proc/net/snmp6', 'utf8'))?.[1])
  if (Number.isNaN(ip4) || Number.isNaN(ip6))
    throw new NotPossibleHere('the kernel does not count packets without a route')
  return { ip4, ip6 }
}
