import { describe, expect, test } from 'vitest'
import { WindowHistory } from './history.ts'

function put(history: WindowHistory, startMs: number, value: number, options = { equalToo: false }): void {
  const position = history.countBefore(0, startMs, options.equalToo)
  const replace = !options.equalToo && history.holds(0, position, startMs)
  history.put(0, position, replace, startMs, Float64Array.of(value))
}

const starts = (history: WindowHistory): number[] => [...history.entries(0)].filter((_, i) => i % 2 === 0)
const values = (history: WindowHistory): number[] => starts(history).map((_, position) => history.value(0, position, 0))

describe('WindowHistory', () => {
  test('keeps entries in order of start, whatever the order they come in, and replaces those of one start (H1)', () => {
    const history = new WindowHistory({ columnCount: 1, capacity: 8 })
    for (const start of [30, 10, 20, 50, 40]) put(history, start, start / 10)
    put(history, 20, 99)
    expect(starts(history)).toEqual([10, 20, 30, 40, 50])
    expect(values(history)).toEqual([1, 99, 3, 4, 5])
  })

  test('keeps entries of an equal start apart where windows are per reading, the first given first (H1)', () => {
    const history = new WindowHistory({ columnCount: 1, capacity: 8 })
    for (const [start, value] of [
      [10, 1],
      [20, 2],
      [10, 3],
      [10, 4],
    ] as const)
      put(history, start, value, { equalToo: true })
    expect(values(history)).toEqual([1, 3, 4, 2])
  })

  test('keeps the newest by start; one older than all of a full history leaves no trace (H2)', () => {
    const history = new WindowHistory({ columnCount: 1, capacity: 3 })
    for (const start of [10, 20, 30, 25, 40, 5]) put(history, start, start)
    expect(starts(history)).toEqual([25, 30, 40])
    expect(history.value(0, 3, 0)).toBeNaN()
    expect(history.value(0, -1, 0)).toBeNaN()
    expect(history.value(1, 0, 0)).toBeNaN()
  })

  test('takes out what it holds, and only that', () => {
    const history = new WindowHistory({ columnCount: 1, capacity: 8 })
    for (const start of [10, 20, 30]) put(history, start, start)
    history.remove(0, 25)
    history.remove(0, 20)
    expect(starts(history)).toEqual([10, 30])
  })
})
