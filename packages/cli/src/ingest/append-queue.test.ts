/** Method: a plant in memory that refuses what chance says, held to what the engine promises a resumable source. */
import type { PartitionLines, SourceMark } from '@millwright/core'
import { BusyError, SourceInterruptedError } from '@millwright/engine'
import type { Admission } from '@millwright/gateways'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppendQueue, type ResumableIngest } from './append-queue.ts'

/** Takes appends in order, a few turns later; after a refusal nothing until it is asked where the source stands. */
class RefusingPlant implements ResumableIngest {
  readonly log: string[] = []
  readonly #refusals: readonly (Error | null)[]
  #appends = 0
  #interrupted = false
  #acknowledged = 0

  /** @param refusals By append; those after the last are taken. */
  constructor(refusals: readonly (Error | null)[]) {
    this.#refusals = refusals
  }

  async append(_topic: string, parts: readonly PartitionLines[], source?: SourceMark): Promise<void> {
    if (this.#interrupted) throw new SourceInterruptedError('an earlier one was refused')
    const refusal = this.#refusals[this.#appends++] ?? null
    if (refusal !== null) {
      this.#interrupted = true
      throw refusal
    }
    this.log.push(...parts.map(({ lines }) => Buffer.from(lines).toString()))
    for (let turn = 0; turn < this.#appends % 4; turn++) await new Promise((resolve) => setImmediate(resolve))
    this.#acknowledged = Math.max(this.#acknowledged, source?.position ?? 0)
  }

  async ready(): Promise<void> {
    // There always seems to be room: that is the case that is tested.
  }

  sourcePosition(): number {
    this.#interrupted = false
    return this.#acknowledged
  }
}

function delivery(n: number, released: number[]): Admission {
  const lines = Buffer.from(`line ${n}\n`)
  return {
    parts: [{ partition: 0, lines, lineCount: 1 }],
    acceptedCount: 1,
    refusedCount: 0,
    refused: [],
    release: () => released.push(n),
  }
}

async function sendAll(plant: RefusingPlant, count: number, released: number[]): Promise<void> {
  const queue = new AppendQueue(plant, 'file')
  for (let n = 0; n < count; n++) await queue.add(delivery(n, released), n + 1)
  await queue.settled()
}

test('AppendQueue sends each delivery once and in order, whichever are refused as the plant is busy (Q1, Q2, Q3)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), fc.nat(30), async (busy, count) => {
      const plant = new RefusingPlant(busy.map((isBusy) => (isBusy ? new BusyError('too much waits') : null)))
      const released: number[] = []
      await sendAll(plant, count, released)
      const numbers = Array.from({ length: count }, (_, n) => n)
      expect(plant.log).toEqual(numbers.map((n) => `line ${n}\n`))
      expect(released).toEqual(numbers)
    }),
    { numRuns: 200 },
  )
})

test('AppendQueue throws what a person must see to, and gives back no memory of what was not taken (Q2, Q3)', async () => {
  const failure = new Error('the disk failed')
  const plant = new RefusingPlant([null, null, failure])
  const released: number[] = []
  await expect(sendAll(plant, 12, released)).rejects.toBe(failure)
  expect(plant.log).toEqual(['line 0\n', 'line 1\n'])
  expect(released).toEqual([0, 1])
})
