/** Method: the command as a user runs it, in a process of its own, against files, pipes and a real HTTP server. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { watch } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { createSimulation, faultKinds } from '@millwright/simulator'
import { afterAll, expect, test } from 'vitest'

const main = join(import.meta.dirname, '../../bin/millwright.js')
const folder = mkdtempSync(join(tmpdir(), 'millwright-simulate-'))
afterAll(() => rmSync(folder, { recursive: true }))

function simulate(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, 'simulate', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

const start = '2026-01-05T06:00:00Z'
const flags = [
  '--devices',
  '22',
  '--rate',
  '0.5',
  '--duration',
  '10 min',
  '--seed',
  '9',
  '--fault',
  'all=0.1',
  '--malformed',
  '0.01',
  '--start',
  start,
]
const same = createSimulation({
  seed: 9,
  deviceCount: 22,
  ratePerDeviceHz: 0.5,
  startMs: Date.parse(start),
  durationMs: 600_000,
  faults: faultKinds.map((kind) => ({ kind, share: 0.1 })),
  malformedShare: 0.01,
})
const expected = Buffer.from([...same].map(({ line }) => `${line}\n`).join(''), 'latin1')

test('millwright simulate writes a gzip file, the truth, and a result that counts both', async () => {
  const out = join(folder, 'readings.ndjson.gz')
  const truth = join(folder, 'truth.ndjson')
  const { code, stdout, stderr } = await simulate(...flags, '--out', out, '--truth', truth, '--json')
  expect([code, stderr]).toEqual([0, ''])
  expect(gunzipSync(readFileSync(out)).equals(expected)).toBe(true)
  const result = JSON.parse(stdout)
  expect(result).toMatchObject({ ...same.counts, bytes: expected.length, stopped: false, delivery: null, seed: 9 })
  const faults = readFileSync(truth, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(result.faults).toBe(faults.length)
  expect(faults).toEqual(same.groundTruth().map(({ severityAt: _, ...fault }) => fault))
})

test('millwright simulate writes to stdout, and says on stderr what it did', async () => {
  const { code, stdout, stderr } = await simulate('--devices', '2', '--duration', '3 s')
  expect(code).toBe(0)
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).deviceId),
  ).toEqual(Array.from({ length: 6 }, (_, i) => `machine-0${i % 2}`))
  expect(stderr).toContain('6 lines')
})

test('millwright simulate ends well when the reader of its pipe has seen enough', async () => {
  const child = spawn(process.execPath, [main, 'simulate', '--devices', '100', '--duration', '30 d'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.once('data', () => child.stdout.destroy())
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect(code).toBe(0)
})

test('millwright simulate posts every line to a plant, through its push-back', async () => {
  const bodies: Buffer[] = []
  let refusals = 2
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (refusals-- > 0) return response.writeHead(429, { 'retry-after': '0' }).end()
    expect([request.method, request.url]).toEqual(['POST', '/api/readings'])
    const body = Buffer.concat(chunks)
    bodies.push(body)
    const accepted = body.toString('latin1').split('\n').length - 1
    return response.writeHead(202).end(JSON.stringify({ accepted, rejected: [] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { code, stdout, stderr } = await simulate(...flags, '--http', url, '--realtime', '--speed', '2000', '--json')
    expect([code, stderr]).toEqual([0, ''])
    expect(Buffer.concat(bodies).equals(expected)).toBe(true)
    expect(bodies.length).toBeGreaterThan(1)
    expect(JSON.parse(stdout).delivery).toEqual({ accepted: same.counts.lines, rejected: 0, retried: 2 })
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

test('millwright simulate stops on SIGTERM, with a file that can be read to its end', async () => {
  const out = join(folder, 'stopped.ndjson.gz')
  // The file is opened after signals are handled, so that its appearance is the moment to stop.
  const changes = watch(folder)
  const opened = (async () => {
    for await (const { filename } of changes) if (filename === 'stopped.ndjson.gz') return
  })()
  const child = spawn(process.execPath, [main, 'simulate', '--realtime', '--devices', '3', '--out', out, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  const closed = new Promise((resolve) => child.on('close', resolve))
  await opened
  child.kill('SIGTERM')
  expect(await closed).toBe(0)
  const lines = gunzipSync(readFileSync(out)).toString().split('\n')
  expect(lines.pop()).toBe('')
  expect(JSON.parse(stdout)).toMatchObject({ stopped: true, lines: lines.length })
})

test('millwright simulate exits 2 and names what is wrong', async () => {
  const { code, stdout, stderr } = await simulate('--devices', 'none', '--http', 'http://192.0.2.1')
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain('--devices: found "none", wanted a whole number')
  expect(stderr).toContain('or --allow-remote')
  expect((await simulate('--no-such-flag')).code).toBe(2)
})
