/** Method: threads that do what the test says; the minute before another one begins is told, not waited for. */
import { EventEmitter } from 'node:events'
import type { CaseLine } from '@millwright/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Watcher, type WatchThread } from './watcher.ts'
import type { WatcherOrder, WatchWorkerData } from './watcher-messages.ts'

class FakeThread extends EventEmitter {
  readonly orders: string[] = []

  postMessage({ kind }: WatcherOrder): void {
    this.orders.push(kind)
    if (kind === 'stop') this.emit('exit', 0)
  }

  async terminate(): Promise<number> {
    return 1
  }
}

/** A place for cases in which a write ends when the test says so. */
class SlowCases {
  underWay = 0
  underWayMax = 0
  readonly ends: ((error?: Error) => void)[] = []

  async append(_lines: readonly CaseLine[]): Promise<void> {
    this.underWay += 1
    this.underWayMax = Math.max(this.underWayMax, this.underWay)
    try {
      await new Promise<void>((resolve, reject) => {
        this.ends.push((error) => (error === undefined ? resolve() : reject(error)))
      })
    } finally {
      this.underWay -= 1
    }
  }

  changed(): void {
    // What became of cases is not asked here.
  }
}

const lines: readonly CaseLine[] = [{ deviceId: 'm', line: '{}', causedAtMs: 1, index: 0, feedback: null }]
const minuteMs = 60_000

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

function watched() {
  const threads: FakeThread[] = []
  const cases = new SlowCases()
  const said: string[] = []
  const begin = (): WatchThread => {
    const thread = new FakeThread()
    threads.push(thread)
    return thread as unknown as WatchThread
  }
  const watcher = new Watcher({} as Omit<WatchWorkerData, 'keepsCases'>, cases, (code) => void said.push(code), begin)
  return { watcher, threads, cases, said }
}

test.each([
  ['is done', undefined],
  ['fails', new Error('no brokers')],
])('a thread begins when what the one before wrote %s, and not before: one write at a time (T3)', async (_, error) => {
  const { watcher, threads, cases, said } = watched()
  threads[0]?.emit('message', { kind: 'cases', lines })
  threads[0]?.emit('error', new Error('out of memory'))
  await vi.advanceTimersByTimeAsync(3 * minuteMs)
  expect([threads.length, watcher.isRunning]).toEqual([1, false])

  cases.ends[0]?.(error)
  await vi.advanceTimersByTimeAsync(0)
  // A write that failed is not tried again for a thread that is gone, whatever time goes by.
  await vi.advanceTimersByTimeAsync(minuteMs)
  expect([threads.length, watcher.isRunning, cases.underWay]).toEqual([2, true, 0])

  threads[1]?.emit('message', { kind: 'cases', lines })
  cases.ends[1]?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(threads[1]?.orders).toEqual(['cases-written'])
  expect(cases.underWayMax).toBe(1)
  expect(said[0]).toBe('WATCHER_FAILED')
  await watcher.stop()
})

test('no thread begins after the stop, although a write ends only then', async () => {
  const { watcher, threads, cases } = watched()
  threads[0]?.emit('message', { kind: 'cases', lines })
  threads[0]?.emit('exit', 1)
  await vi.advanceTimersByTimeAsync(2 * minuteMs)
  await watcher.stop()
  cases.ends[0]?.()
  await vi.advanceTimersByTimeAsync(2 * minuteMs)
  expect(threads).toHaveLength(1)
})

test('how far a thread has read is not said of the one after it, which may begin further back (T4)', async () => {
  const { watcher, threads } = watched()
  const tell = (thread: number, readUpToMs: number): unknown =>
    threads[thread]?.emit('message', { kind: 'progress', readUpToMs, cpuSeconds: 1 })
  expect(watcher.readUpToMs).toBeNull()
  tell(0, 1000)
  threads[0]?.emit('error', new Error('out of memory'))
  expect([watcher.readUpToMs, watcher.isRunning]).toEqual([1000, false])
  await vi.advanceTimersByTimeAsync(minuteMs)
  expect([watcher.readUpToMs, watcher.isRunning]).toEqual([null, true])
  tell(1, 10)
  expect(watcher.readUpToMs).toBe(10)
})
