import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { clusterFolder } from './cluster-folder.ts'
import { ClusterStartError } from './errors.ts'
import { askZookeeper, isListening, waitUntilReady } from './readiness.ts'

async function listen(server: Server): Promise<number> {
  onTestFinished(() => {
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

test('waitUntilReady() gives up at once when a process has ended, with what that said last', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'millwright-ready-'))
  onTestFinished(() => rmSync(cache, { recursive: true }))
  const folder = clusterFolder(cache, 'a')
  mkdirSync(folder.logs, { recursive: true })
  writeFileSync(folder.log('broker-1'), 'started\njava.io.IOException: No space left on device\n')
  const waiting = waitUntilReady(
    folder,
    { what: 'Kafka', roles: ['broker-1'], waitMsMax: 3_600_000, onWait: () => expect.unreachable() },
    () => Promise.reject(new Error('connect ECONNREFUSED')),
  )
  await expect(waiting).rejects.toThrow(ClusterStartError)
  await expect(waiting).rejects.toThrow(/broker-1 ended while Kafka started[\s\S]*No space left on device/)
})

test('waitUntilReady() says what is missing until it is there, and when its time is over', async () => {
  const folder = clusterFolder('/no/such/cache', 'a')
  const told: string[] = []
  const wait = { what: 'Kafka', roles: [], onWait: (missing: string) => told.push(missing) }
  let asked = 0
  await waitUntilReady(folder, { ...wait, waitMsMax: 60_000 }, async () => (asked++ === 0 ? '2 of 3 brokers' : null))
  expect(told).toEqual(['Kafka: 2 of 3 brokers'])
  await expect(waitUntilReady(folder, { ...wait, waitMsMax: -1 }, async () => '2 of 3 brokers')).rejects.toThrow(
    /did not become ready.*2 of 3 brokers/,
  )
})

test('askZookeeper() reads the whole answer; isListening() tells an open port from a closed one', async () => {
  const server = createServer((socket) => {
    socket.once('data', (word) => {
      socket.write(`heard ${word.toString()}: `)
      socket.end('Mode: standalone\n')
    })
  })
  const port = await listen(server)
  expect(await askZookeeper(port, 'srvr')).toBe('heard srvr: Mode: standalone\n')
  expect(await isListening(port)).toBe(true)
  await new Promise((resolve) => server.close(resolve))
  expect(await isListening(port)).toBe(false)
})
