/**
 * The peer of durable ingest: the least that a plain Node server can do and still say "on disk". It parses each line,
 * appends the body to one file, syncs it and answers 202. No checks, no windows, no scoring, no recovery; bodies that come
 * while a sync is under way share the next one.
 *
 *     node bench/plain-server.ts FILE        prints its URL
 */
import { fdatasync, openSync, writeSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const descriptor = openSync(process.argv[2] ?? '', 'a')
let waiting: { readonly response: ServerResponse; readonly accepted: number }[] = []
let syncing = false

function sync(): void {
  if (syncing || waiting.length === 0) return
  syncing = true
  const group = waiting
  waiting = []
  fdatasync(descriptor, (error) => {
    syncing = false
    for (const { response, accepted } of group) {
      response.writeHead(error === null ? 202 : 500, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ accepted, rejected: [] }))
    }
    sync()
  })
}

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const body = Buffer.concat(parts)
    let accepted = 0
    for (const line of body.toString('utf8').split('\n')) accepted += isReading(line) ? 1 : 0
    writeSync(descriptor, body)
    waiting.push({ response, accepted })
    sync()
  })
})

function isReading(line: string): boolean {
  try {
    return typeof JSON.parse(line).deviceId === 'string'
  } catch {
    return false
  }
}

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
