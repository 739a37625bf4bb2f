import { existsSync, linkSync, mkdirSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { MillwrightError } from '@millwright/core'
import { inputDirectory } from '../data-folder.ts'
import type { AcceptedModel } from '../engine-options.ts'
import { systemCode } from '../errors.ts'
import { openEngine } from '../open-engine.ts'
import type { OnPhase } from '../phases.ts'
import type { CrashSubject } from './crash-subject.ts'

/** Says a line at once, and waits where the harness is slow to listen: the pipe may not block by itself. */
function say(text: string): void {
  for (;;) {
    try {
      writeSync(1, `${text}\n`)
      return
    } catch (error) {
      if (systemCode(error) !== 'EAGAIN') throw error
      Atomics.wait(sleeper, 0, 0, 1)
    }
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Says which phase begins and ends, for the harness; to be given to the engine and to its workers. */
export const sayPhase: OnPhase = (phase, edge, partition) => say(`phase ${phase} ${edge} ${partition ?? '-'}`)

/**
 * Writes under load until it is killed: the program of a {@link CrashSubject}, whose arguments it reads. Small segments,
 * frequent snapshots and retention, so that a kill finds each of them at work.
 *
 * @param options.worker Module that calls `runPartitionWorker`, with `sayPhase`.
 * @param options.packageOf Makes the n-th package that is published.
 */
export async function runCrashChild(options: {
  readonly subject: CrashSubject
  readonly worker: URL
  readonly identity: string
  readonly validateModel: (bytes: Uint8Array) => AcceptedModel
  readonly packageOf: (n: number) => Uint8Array
}): Promise<void> {
  const [directory = '', seed = '1'] = process.argv.slice(2)
  const {
    subject: { partitionCount, line },
    worker,
    identity,
    validateModel,
    packageOf,
  } = options

  const engine = await openEngine({
    directory,
    partitionCount,
    identity,
    operators: {
      mode: 'workers',
      module: worker,
      workerData: null,
      workerCount: 2,
    },
    validateModel,
    segmentBytesMax: 24_000,
    snapshotEveryMs: 150,
    heartbeatEveryMs: 50,
    retentionEveryMs: 1e12,
    retention: { readingsMs: 400, outputsMs: 1e12, diskBytesMax: 1e12 },
    backlogBytesMax: 2_000_000,
    onPhase: sayPhase,
    onFailure: (error) => {
      process.stderr.write(`${error.stack}\n`)
      process.exit(3)
    },
  })

  process.on('SIGTERM', () => void engine.close().then(() => process.exit(0)))
  say('ready')
  if (seed === 'drain') {
    await engine.drained()
    await engine.close()
    process.exit(0)
  }

  let state = Number(seed)
  /** 0..1; a plain congruential generator is random enough to vary sizes. */
  function chance(): number {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }

  function partsOf(from: number, to: number) {
    const parts = Array.from({ length: partitionCount }, (_, partition) => ({
      partition,
      texts: [] as string[],
      positions: [] as number[],
    }))
    for (let n = from; n <= to; n++) {
      const { partition, text } = line(n)
      parts[partition]?.texts.push(text)
      parts[partition]?.positions.push(n)
    }
    return parts
      .filter(({ texts }) => texts.length > 0)
      .map(({ partition, texts, positions }) => ({
        partition,
        lines: Buffer.from(`${texts.join('\n')}\n`),
        lineCount: texts.length,
        linePositions: Float64Array.from(positions),
      }))
  }

  /** Four appends under way at a time, in order. */
  async function load(): Promise<void> {
    const underWay = new Set<Promise<void>>()
    let next = engine.sourcePosition('load') + 1
    for (;;) {
      // Also before the first: what a kill left unprocessed may be all that there is room for.
      await engine.ready()
      const from = next
      const to = from + 20 + Math.floor(chance() * 400)
      next = to + 1
      const append: Promise<void> = engine
        .append('sensor-data', partsOf(from, to), { id: 'load', position: to })
        .then(() => say(`ack ${from} ${to}`))
        .finally(() => underWay.delete(append))
      underWay.add(append)
      if (underWay.size >= 4) await Promise.race(underWay)
    }
  }

  /** Keeps what retention is about to remove, for the harness. */
  async function retain(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 20 + 40 * chance()))
      for (let partition = 0; partition < partitionCount; partition++) {
        const folder = inputDirectory(directory, partition)
        const archive = join(directory, '..', 'archive', String(partition))
        mkdirSync(archive, { recursive: true })
        const names = readdirSync(folder).sort().slice(0, -1)
        for (const name of names)
          if (!existsSync(join(archive, name))) linkSync(join(folder, name), join(archive, name))
      }
      await engine.retain()
    }
  }

  async function publish(): Promise<void> {
    // No more than are kept, so that the harness finds every package.
    while (engine.listModels().length < 8) {
      await engine.publish(packageOf(engine.listModels().length), { activeFromMs: Date.now() + 50 })
      await new Promise((resolve) => setTimeout(resolve, 300 * chance()))
    }
  }

  await Promise.all([load(), retain(), publish()]).catch((error: unknown) => {
    // The engine is being closed.
    if (error instanceof MillwrightError && error.code === 'ENGINE_CLOSED') return
    throw error
  })
}
