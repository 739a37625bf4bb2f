import { setTimeout as pause } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { assert, MillwrightError } from '@millwright/core'
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
const { plant, of } = workerData as WatchWorkerData
const stopping = new AbortController()
port.on('message', (order: WatcherOrder) => {
  if (order.kind === 'stop') stopping.abort()
})
const tell = (message: WatcherMessage): void => port.postMessage(message)

const watch =
  of.kind === 'folder'
    ? TopicsWatch.ofFolder(plant, of.dataDirectory)
    : await TopicsWatch.ofKafka(plant, { ...of, isPrudent: true, signal: stopping.signal })
let savedAtMs = performance.now()
let reportAtMs = 0
let reported = -1
/** Until a look says that more may be taken, there is nothing to look for. */
let isMore = false
let isAway = false

while (!stopping.signal.aborted) {
  await takeWhatThereIs().catch(waitForTopics)
  const cpu = process.threadCpuUsage()
  tell({
    kind: 'progress',
    readUpToMs: Math.max(watch.takenUpToMs, watch.readUpToMs),
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  })
  reportWhenDue()
  if (performance.now() - savedAtMs >= saveEveryMs) save()
  await pause(lookEveryMs, undefined, { signal: stopping.signal }).catch(() => undefined)
}
save()
await watch.close()
port.close()

/** Takes what there is, half of the time at most: what is behind may lag, the plant may not. */
async function takeWhatThereIs(): Promise<void> {
  if (await watch.look()) isMore = true
  if (isAway) tell({ kind: 'away', message: null })
  isAway = false
  while (isMore && !stopping.signal.aborted) {
    const startedMs = performance.now()
    const taken = await watch.step(recordsPerSlice)
    isMore = taken === recordsPerSlice
    reportWhenDue()
    if (isMore) await pause(performance.now() - startedMs)
  }
  isMore ||= watch.isHeldBack
}

/** Brokers may be away: what they have is taken when they are back. Whatever else fails ends the thread, and it is begun anew. */
function waitForTopics(error: unknown): void {
  if (stopping.signal.aborted) return
  if (!(error instanceof MillwrightError) || error.retry !== 'later') throw error
  if (!isAway) tell({ kind: 'away', message: error.message })
  isAway = true
  isMore = true
}

function reportWhenDue(): void {
  const startedMs = performance.now()
  if (watch.changes === reported || startedMs < reportAtMs) return
  tell({ kind: 'report', report: watch.report() })
  reported = watch.changes
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
