import { assert } from '@millwright/core'

/**
 * The predictions of one device, remembered for weeks in a few numbers: windows in a row that one model version judged
 * alike are one *run*, an arithmetic progression of window ends.
 *
 * Invariants
 *
 * R1. Each remembered window is in exactly one run; no window end is there twice.
 * R2. Runs stand in ascending order of their ends and do not interleave: one run's last end is below the next one's first.
 * R3. Within a run the model, the judgement (high or not, band of probability) and the length of windows are the same, and ends are `stepMs` apart.
 * R4. The ends and judgements remembered are those of the records applied, whatever their order within a device was,
 *     but for what `removeFirst` and `removeUpTo` took away.
 *
 * A run is four numbers in one flat array, which V8 keeps as plain doubles: 32 bytes. It is what a snapshot stores.
 */
export interface PredictionRun {
  readonly firstEndMs: number
  /** Between ends; 0 for a single window. */
  readonly stepMs: number
  /** Length of each window. */
  readonly sizeMs: number
  readonly count: number
  /** Index of the model version. */
  readonly model: number
  readonly high: boolean
  /** Index of the probability's band, 0..7: what calibration learns from. */
  readonly band: number
}

/** One scored window. */
export interface Prediction {
  readonly startMs: number
  readonly endMs: number
  /** 0..65535. */
  readonly model: number
  readonly high: boolean
  readonly band: number
  /** 0 for a window's first result. */
  readonly revision: number
}

const stride = 4
const bandsMax = 8
const judgementsMax = 2 * bandsMax
const modelsMax = 65_536
/** What one window adds to the packed number. */
const oneWindow = judgementsMax * modelsMax

export class PredictionRuns {
  /** `firstEndMs, stepMs, sizeMs, (count · 2^16 + model) · 16 + band · 2 + high` of each run. */
  #values: number[]

  /** @param values What `toJson` gave. */
  constructor(values: readonly number[] = []) {
    assert(values.length % stride === 0, 'a run is four numbers')
    this.#values = [...values]
  }

  get runCount(): number {
    return this.#values.length / stride
  }

  /** A copy, finite numbers only. */
  toJson(): number[] {
    return [...this.#values]
  }

  run(index: number): PredictionRun {
    const at = index * stride
    const packed = this.#values[at + 3] as number
    return {
      firstEndMs: this.#values[at] as number,
      stepMs: this.#values[at + 1] as number,
      sizeMs: this.#values[at + 2] as number,
      count: Math.floor(packed / oneWindow),
      model: Math.floor(packed / judgementsMax) % modelsMax,
      high: packed % 2 === 1,
      band: Math.floor(packed / 2) % bandsMax,
    }
  }

  runs(): PredictionRun[] {
    const runs: PredictionRun[] = []
    for (let index = 0; index < this.runCount; index++) runs.push(this.run(index))
    return runs
  }

  /**
   * Remembers a window, or what a further revision made of it; the last record of a window counts. A revision whose end is
   * not known is a session that grew: it takes the place of the windows of another length that it overlaps.
   */
  record(prediction: Prediction): 'added' | 'changed' | 'unchanged' {
    const { startMs, endMs, model, high, band, revision } = prediction
    if (revision === 0 && this.#extendLast(prediction)) return 'added'
    const single = { firstEndMs: endMs, stepMs: 0, sizeMs: endMs - startMs, count: 1, model, high, band }
    const last = this.runCount - 1
    if (last < 0 || endMs > lastEndMs(this.run(last))) {
      if (revision > 0) this.#removeOverlapped(prediction)
      this.#insert(this.runCount, single)
      this.#mergeWithNext(this.runCount - 2)
      return 'added'
    }
    let index = 0
    while (lastEndMs(this.run(index)) < endMs) index += 1
    const run = this.run(index)
    const place = placeOf(run, endMs)
    if (place === null) {
      if (revision > 0) {
        this.#removeOverlapped(prediction)
        index = 0
        while (index < this.runCount && lastEndMs(this.run(index)) < endMs) index += 1
      }
      this.#insertWithin(index, single)
      return 'added'
    }
    if (run.model === model && run.high === high && run.band === band && run.sizeMs === endMs - startMs)
      return 'unchanged'
    this.#part(index, place)
    const from = place === 0 ? index : index + 1
    this.#part(from, 1)
    this.#write(from, single)
    this.#mergeAround(from)
    return 'changed'
  }

  /** Forgets the oldest run; returns how many windows that were. */
  removeFirst(): number {
    const { count } = this.run(0)
    this.#values.splice(0, stride)
    return count
  }

  /** Takes away all windows that end at or before a time, as runs of their own. */
  removeUpTo(endMs: number): PredictionRun[] {
    const removed: PredictionRun[] = []
    while (this.runCount > 0) {
      const run = this.run(0)
      const count = countUpTo(run, endMs)
      if (count === 0) break
      this.#part(0, count)
      removed.push(this.run(0))
      this.#values.splice(0, stride)
    }
    return removed
  }

  /** The usual case, without copies: one more window like those before it. */
  #extendLast({ startMs, endMs, model, high, band }: Prediction): boolean {
    const values = this.#values
    const at = values.length - stride
    if (at < 0) return false
    const judgement = values[at + 3] as number
    const count = Math.floor(judgement / oneWindow)
    const stepMs = values[at + 1] as number
    if (count < 2 || judgement % oneWindow !== judgementOf(model, band, high)) return false
    if (values[at + 2] !== endMs - startMs || endMs !== (values[at] as number) + count * stepMs) return false
    values[at + 3] = judgement + oneWindow
    return true
  }

  #removeOverlapped({ startMs, endMs }: Prediction): void {
    for (let index = this.runCount - 1; index >= 0; index--) {
      const run = this.run(index)
      if (run.sizeMs === endMs - startMs) continue
      // Windows of the run that end after the start and start before the end.
      const kept = countUpTo(run, startMs)
      const overlapped = countUpTo(run, endMs + run.sizeMs - 1) - kept
      if (overlapped === 0) continue
      this.#part(index, kept)
      const from = kept === 0 ? index : index + 1
      this.#part(from, overlapped)
      this.#values.splice(from * stride, stride)
    }
  }

  /** Puts a window before the run, or into a hole of it. */
  #insertWithin(index: number, single: PredictionRun): void {
    if (index === this.runCount) this.#insert(index, single)
    else {
      const before = countUpTo(this.run(index), single.firstEndMs)
      this.#part(index, before)
      this.#insert(before === 0 ? index : index + 1, single)
    }
    this.#mergeAround(index)
  }

  /** Parts a run in two, the first of `count` windows; nothing where one side would be empty. */
  #part(index: number, count: number): void {
    const run = this.run(index)
    if (count === 0 || count === run.count) return
    const rest = run.count - count
    this.#write(index, { ...run, count, stepMs: count === 1 ? 0 : run.stepMs })
    this.#insert(index + 1, {
      ...run,
      firstEndMs: run.firstEndMs + count * run.stepMs,
      stepMs: rest === 1 ? 0 : run.stepMs,
      count: rest,
    })
  }

  #mergeAround(index: number): void {
    // From the right, so that places to the left stay where they are.
    for (let left = Math.min(index + 1, this.runCount - 2); left >= Math.max(0, index - 1); left--)
      this.#mergeWithNext(left)
  }

  /** Makes one run of two where R3 allows it. */
  #mergeWithNext(index: number): void {
    if (index < 0 || index + 1 >= this.runCount) return
    const first = this.run(index)
    const second = this.run(index + 1)
    if (first.model !== second.model || first.high !== second.high || first.band !== second.band) return
    if (first.sizeMs !== second.sizeMs) return
    const gapMs = second.firstEndMs - lastEndMs(first)
    if ((first.count > 1 && first.stepMs !== gapMs) || (second.count > 1 && second.stepMs !== gapMs)) return
    this.#write(index, {
      ...first,
      stepMs: gapMs,
      count: first.count + second.count,
    })
    this.#values.splice((index + 1) * stride, stride)
  }

  #insert(index: number, run: PredictionRun): void {
    // Not by `splice`, which leaves room for more than most machines ever have.
    if (index === this.runCount) this.#values = this.#values.concat(packed(run))
    else this.#values.splice(index * stride, 0, ...packed(run))
  }

  #write(index: number, run: PredictionRun): void {
    this.#values.splice(index * stride, stride, ...packed(run))
  }
}

function packed(run: PredictionRun): number[] {
  assert(run.model >= 0 && run.model < modelsMax, 'a model index has 16 bits')
  assert(run.band >= 0 && run.band < bandsMax, 'a band has 3 bits')
  const judgement = run.count * oneWindow + judgementOf(run.model, run.band, run.high)
  return [run.firstEndMs, run.stepMs, run.sizeMs, judgement]
}

function judgementOf(model: number, band: number, high: boolean): number {
  return model * judgementsMax + band * 2 + (high ? 1 : 0)
}

export function lastEndMs(run: PredictionRun): number {
  return run.firstEndMs + (run.count - 1) * run.stepMs
}

/** Which window of a run ends at a time; `null` where none does. */
function placeOf(run: PredictionRun, endMs: number): number | null {
  const behindMs = endMs - run.firstEndMs
  if (behindMs < 0 || endMs > lastEndMs(run)) return null
  if (behindMs === 0) return 0
  return run.stepMs > 0 && behindMs % run.stepMs === 0 ? behindMs / run.stepMs : null
}

/** Windows of a run that end at or before a time. */
export function countUpTo(run: PredictionRun, endMs: number): number {
  if (endMs < run.firstEndMs) return 0
  if (run.count === 1 || endMs >= lastEndMs(run)) return run.count
  return Math.floor((endMs - run.firstEndMs) / run.stepMs) + 1
}

/** Windows of a run that end in `(after, upTo]`. */
export function countWithin(run: PredictionRun, afterMs: number, upToMs: number): number {
  return upToMs <= afterMs ? 0 : countUpTo(run, upToMs) - countUpTo(run, afterMs)
}

/** End of the first window of a run that ends in `(after, upTo]`; `null` where none does. */
export function firstEndWithin(run: PredictionRun, afterMs: number, upToMs: number): number | null {
  const before = countUpTo(run, afterMs)
  if (before === run.count) return null
  const endMs = run.firstEndMs + before * run.stepMs
  return endMs <= upToMs ? endMs : null
}
