import { setTimeout as pause } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { assert, type CaseLine, MillwrightError } from '@millwright/core'
import type { CaseOutput } from '@millwright/monitoring'
import { TopicsWatch } from './topics-watch.ts'
import type { WatcherMessage, WatcherOrder, WatchWorkerData } from './watcher-messages.ts'

/** Between two looks at the topics. What can be taken grows with each snapshot, every ten seconds. */
const lookEveryMs = 1000
/** The same while somebody waits for what becomes of a command, and for how long after one. */
const hurriedLookEveryMs = 100
const hurryMs = 5000
const recordsPerSlice = 500
const saveEveryMs = 300_000
/** A report looks at every machine: it may take a two-hundredth of the time, and comes at most so often. */
const reportEveryMs = 2000
const reportShare = 200

const port = parentPort
assert(port !== null, 'the watcher runs in a worker thread')
const { plant, of, keepsCases } = workerData as WatchWorkerData
const stopping = new AbortController()
let hurryUntilMs = 0
let waking = new AbortController()
let written = (): void => undefined
let giveUpWriting = (): void => undefined
port.on('message', (order: WatcherOrder) => {
  switch (order.kind) {
    case 'stop':
      stopping.abort()
      giveUpWriting()
      return
    case 'hurry':
      hurryUntilMs = performance.now() + hurryMs
      waking.abort()
      return
    case 'cases-written':
      written()
      return
  }
})
const tell = (message: WatcherMessage): void => port.postMessage(message)

const watch =
  of.kind === 'folder'
    ? TopicsWatch.ofFolder(plant, of.dataDirectory, { keepsCases })
    : await TopicsWatch.ofKafka(plant, { ...of, keepsCases, isPrudent: true, signal: stopping.signal })
let savedAtMs = performance.now()
let reportAtMs = 0
let reported = -1
/** Until a look says that more may be taken, there is nothing to look for. */
let isMore = false
let isAway = false
/** Whether something was sent that may not be written: what was taken since must be taken again, so nothing is saved. */
let isWriting = false
let toldCases = false

while (!stopping.signal.aborted) {
  await takeWhatThereIs().catch(waitForTopics)
  tellProgress()
  tellCaseChanges()
  reportWhenDue()
  if (performance.now() - savedAtMs >= saveEveryMs) save()
  waking = new AbortController()
  const signal = AbortSignal.any([stopping.signal, waking.signal])
  const isHurried = performance.now() < hurryUntilMs
  await pause(isHurried ? hurriedLookEveryMs : lookEveryMs, undefined, { signal }).catch(() => undefined)
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
    const cases = watch.takeCases()
    if (cases.length > 0) await write(cases)
    isMore = taken === recordsPerSlice
    tellProgress()
    tellCaseChanges()
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

/** Resolves when the messages are on stable storage, or the thread is to stop. */
async function write(cases: readonly CaseOutput[]): Promise<void> {
  isWriting = true
  if (stopping.signal.aborted) return
  const done = new Promise<void>((resolve) => {
    written = () => {
      isWriting = false
      resolve()
    }
    giveUpWriting = resolve
  })
  tell({ kind: 'cases', lines: cases.map(lineOf) })
  await done
}

function lineOf({ mark, message, feedback }: CaseOutput): CaseLine {
  const { deviceId } = message
  return {
    deviceId,
    line: JSON.stringify(message),
    causedAtMs: mark.timeMs,
    index: mark.index,
    feedback: feedback === null ? null : { deviceId, line: JSON.stringify(feedback) },
  }
}

function tellProgress(): void {
  const cpu = process.threadCpuUsage()
  tell({
    kind: 'progress',
    readUpToMs: Math.max(watch.takenUpToMs, watch.readUpToMs),
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  })
}

function tellCaseChanges(): void {
  const changes = watch.takeCaseChanges()
  if (!keepsCases || (toldCases && changes.cases.length === 0 && changes.outcomes.length === 0)) return
  tell({ kind: 'case-changes', first: !toldCases, changes })
  toldCases = true
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
  if (isWriting) return
  savedAtMs = performance.now()
  try {
    watch.save()
  } catch (error) {
    // The disk may be full: the topics have everything, and the next attempt comes.
    tell({ kind: 'save-failed', message: error instanceof Error ? error.message : String(error) })
  }
}
