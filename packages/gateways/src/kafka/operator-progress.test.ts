/**
 * Against a job of a few lines that works on between any two questions, as drawn: it reads its inputs, writes what comes of them, and leaves
 * its places at checkpoints. What a look promises is held against what the job knows.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { laneOf, OperatorProgress, type Place, type ProgressPort } from './operator-progress.ts'

const inputs = [{ topic: 'sensor-data', partitionCount: 2 }]
const outputs = [{ topic: 'alert-signals', partitionCount: 2 }]
const outputLanes = ['alert-signals/0', 'alert-signals/1']

class ModelJob implements ProgressPort {
  /** Append times by partition: they do not fall. */
  readonly inputs: number[][] = [[], []]
  /** What the outputs hold: which record brought it about. */
  readonly outputs = new Map<string, { readonly timeMs: number }[]>(outputLanes.map((lane) => [lane, []]))
  readonly #read = [0, 0]
  /** What was read and has not been written: a checkpoint writes it. */
  #pending: { readonly lane: string; readonly timeMs: number }[] = []
  #places: readonly number[] = [-1, -1]
  #nowMs = 1000
  readonly #choices: number[]

  constructor(choices: readonly number[]) {
    this.#choices = [...choices]
  }

  /** Does one thing, as drawn. @returns Whether there was one more to do. */
  step(): boolean {
    const choice = this.#choices.shift()
    if (choice === undefined) return false
    const partition = choice % 2
    const kind = Math.floor(choice / 2) % 4
    this.#nowMs += Math.floor(choice / 8)
    if (kind === 0) this.inputs[partition]?.push(this.#nowMs)
    else if (kind === 1) this.#readNext(partition, outputLanes[choice % 3 === 0 ? 0 : 1] as string)
    else if (kind === 2) this.#write(this.#pending.splice(0, 1))
    else this.#checkpoint()
    return true
  }

  async placesOfJob(): Promise<readonly number[]> {
    this.#goOn()
    return this.#places
  }

  async newestTimeMs({ partition }: Place): Promise<number | null> {
    this.#goOn()
    return this.inputs[partition]?.at(-1) ?? null
  }

  async firstTimeMs({ partition }: Place, from: number): Promise<number | null> {
    this.#goOn()
    return this.inputs[partition]?.[from] ?? null
  }

  async writtenEnd(output: Place): Promise<number> {
    this.#goOn()
    return this.outputs.get(laneOf(output))?.length ?? 0
  }

  /** Some things, or none, between two questions. */
  #goOn(): void {
    for (let count = (this.#choices.shift() ?? 0) % 5; count > 0; count--) this.step()
  }

  #readNext(partition: number, lane: string): void {
    const timeMs = this.inputs[partition]?.[this.#read[partition] ?? 0]
    if (timeMs === undefined) return
    this.#read[partition] = (this.#read[partition] ?? 0) + 1
    this.#pending.push({ lane, timeMs })
  }

  #checkpoint(): void {
    this.#write(this.#pending.splice(0))
    this.#places = [...this.#read]
  }

  #write(records: readonly { readonly lane: string; readonly timeMs: number }[]): void {
    for (const { lane, timeMs } of records) this.outputs.get(lane)?.push({ timeMs })
  }
}

const choices = fc.array(fc.nat(31), { minLength: 100, maxLength: 600 })

test('what records appended before the cut brought about stands before the ends, whatever the job does between two questions (P1, P2)', async () => {
  let cuts = 0
  await fc.assert(
    fc.asyncProperty(choices, async (drawn) => {
      const job = new ModelJob(drawn)
      const progress = new OperatorProgress(job, { inputs, outputs })
      const promised: { readonly beforeMs: number; readonly ends: ReadonlyMap<string, number> }[] = []
      let timersMs = Number.NEGATIVE_INFINITY
      do {
        const look = await progress.look()
        if (look === null) continue
        promised.push({ beforeMs: look.recordsBeforeMs, ends: look.endOffsets })
        // P3.
        expect(look.timersBeforeMs).toBe(timersMs)
        timersMs = look.recordsBeforeMs
        if (Number.isFinite(timersMs)) cuts += 1
      } while (job.step())
      for (const { beforeMs, ends } of promised)
        for (const lane of outputLanes) {
          const later = job.outputs.get(lane)?.slice(ends.get(lane)) ?? []
          expect(later.filter(({ timeMs }) => timeMs < beforeMs)).toEqual([])
        }
    }),
    { numRuns: 500 },
  )
  expect(cuts).toBeGreaterThan(500)
})

const still = (places: readonly number[]): ProgressPort => ({
  placesOfJob: async () => places,
  newestTimeMs: async ({ partition }) => (partition === 0 ? 9000 : null),
  firstTimeMs: async () => null,
  writtenEnd: async () => 5,
})

test('look() gives nothing while the job has read nothing of a partition, and names it; nor before the next checkpoint', async () => {
  const unread = new OperatorProgress(still([3, -1]), { inputs, outputs })
  expect([await unread.look(), unread.waitsFor]).toEqual([null, 'sensor-data/1'])
  const looked = new OperatorProgress(still([3, 4]), { inputs, outputs })
  expect(await looked.look()).not.toBeNull()
  expect([await looked.look(), looked.waitsFor]).toEqual([null, null])
})

test('look() knows no time where a partition never had a record: nothing may be taken yet', async () => {
  const look = await new OperatorProgress(still([3, 0]), { inputs, outputs }).look()
  expect(look?.recordsBeforeMs).toBe(Number.NEGATIVE_INFINITY)
})
