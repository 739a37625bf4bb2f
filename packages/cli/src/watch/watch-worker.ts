import { setTimeout as pause } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '@millwright/core'
import { readStoreCut } from '@millwright/engine'
import { TopicsWatch } from './topics-watch.ts'
import type { WatcherMessage, WatcherOrder, WatchWorkerData } from './watcher-messages.ts'

/** Between two looks at the topics. What can be taken grows with each snapshot, every ten seconds. */
const lookEveryMs = 1000
const recordsPerSlice = 500
const saveEveryMs = 300_000
/** A report looks at every machine: it may take a fiftieth of the time, and comes at most so often. */
const reportEveryMs = 2000
const reportShare = 50

const port = parentPort
assert(port !== null, 'the watcher runs in a worker thread')
const { plant, dataDirectory } = workerData as WatchWorkerData
const stopping = new AbortController()
port.on('message', (order: WatcherOrder) => {
  if (order.kind === 'stop') stopping.abort()
})
const tell = (message: WatcherMessage): void => port.postMessage(message)

const watch = new TopicsWatch(plant, dataDirectory)
let savedAtMs = performance.now()
let reportAtMs = 0
let reported = -1
let takenCount = 0
/** Up to where everything was taken: until a snapshot goes beyond, there is nothing to look for. */
let takenUpToMs = Number.NEGATIVE_INFINITY

while (!stopping.signal.aborted) {
  const cutMs = readStoreCut(dataDirectory)
  if (cutMs !== null && cutMs > takenUpToMs && (await takeUpTo(cutMs))) takenUpToMs = cutMs
  const cpu = process.threadCpuUsage()
  tell({
    kind: 'progress',
    readUpToMs: Math.max(takenUpToMs, watch.readUpToMs),
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  })
  reportWhenDue()
  if (performance.now() - savedAtMs >= saveEveryMs) save()
  await pause(lookEveryMs, undefined, { signal: stopping.signal }).catch(() => undefined)
}
save()
watch.close()
port.close()

/** Takes what there is, half of the time at most: what is behind may lag, the plant may not. Returns whether there is no more. */
async function takeUpTo(cutMs: number): Promise<boolean> {
  while (!stopping.signal.aborted) {
    const startedMs = performance.now()
    const taken = watch.step(cutMs, recordsPerSlice)
    takenCount += taken
    if (taken < recordsPerSlice) return true
    reportWhenDue()
    await pause(performance.now() - startedMs)
  }
  return false
}

function reportWhenDue(): void {
  const startedMs = performance.now()
  if (takenCount === reported || startedMs < reportAtMs) return
  tell({ kind: 'report', report: watch.report() })
  reported = takenCount
  const endedMs = performance.now()
  reportAtMs = endedMs + Math.max(reportEveryMs, reportShare * (endedMs - startedMs))
}

function save(): void {
  savedAtMs = performance.now()
  try {
    watch.save()
  } catch (error) {
    // The disk may be full: the topics have everything, and the next attempt comes.
    tell({ kind: 'save-failed', message: error instanceof Error ? error.message : String(error) })
  }
}
