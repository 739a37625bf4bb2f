/**
 * Loaded into the plant before its own code (`node --expose-gc --import`), in its main thread and its workers: at SIGUSR2
 * each thread collects its garbage, and the main thread writes to stderr a line with what is left of all of them. What a
 * process takes from the machine sways with how far its collectors let their halls grow; what is alive does not.
 */
import process from 'node:process'
import { BroadcastChannel, isMainThread } from 'node:worker_threads'
import { liveMemoryMark } from './live-memory.ts'

type Message =
  | { readonly kind: 'joined' }
  | { readonly kind: 'ask' }
  | { readonly kind: 'alive'; readonly bytes: number }

const channel = new BroadcastChannel('millwright-proof-live-memory')
channel.unref()
const send = (message: Message): void => channel.postMessage(message)

/** Objects, and buffers and WebAssembly memories beside them, bytes. Asked thrice: what a finalizer frees is gone only then. */
function aliveBytes(): number {
  if (global.gc === undefined) throw new Error('wants `node --expose-gc`')
  for (let time = 0; time < 3; time++) global.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

if (isMainThread) {
  let workerCount = 0
  let awaited = 0
  let bytes = 0
  const told = (): void => {
    if (awaited === 0) process.stderr.write(`${liveMemoryMark}${bytes}\n`)
  }
  channel.onmessage = (event) => {
    const message = (event as { data: Message }).data
    if (message.kind === 'joined') workerCount++
    if (message.kind !== 'alive') return
    awaited--
    bytes += message.bytes
    told()
  }
  process.on('SIGUSR2', () => {
    awaited = workerCount
    bytes = aliveBytes()
    send({ kind: 'ask' })
    told()
  })
} else {
  channel.onmessage = (event) => {
    if ((event as { data: Message }).data.kind === 'ask') send({ kind: 'alive', bytes: aliveBytes() })
  }
  send({ kind: 'joined' })
}
