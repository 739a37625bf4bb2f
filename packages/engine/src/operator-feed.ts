import { assert, type ModelUpdate, type PartitionOperator } from '@millwright/core'
import type { Frame } from './frame-reader.ts'
import { lineEnd } from './lines.ts'
import type { ModelCache } from './model-cache.ts'

/** Hands one frame of an input log to an operator. @throws What the operator throws, and {@link ModelCache.load}. */
export function feedFrame(operator: PartitionOperator, frame: Frame, models: ModelCache): void {
  const { kind, baseOffset, appendTimeMs } = frame.header
  switch (kind) {
    case 'readings':
      operator.readings(plain(frame.body), baseOffset, appendTimeMs)
      return
    case 'device-events':
      operator.deviceEvents(plain(frame.body), baseOffset, appendTimeMs)
      return
    case 'heartbeat':
      operator.heartbeat(appendTimeMs, baseOffset)
      return
    case 'activation': {
      const update = JSON.parse(frame.body.toString()) as ModelUpdate
      const model = models.load(update.sha256)
      if (model === null) return
      operator.activate({ model, activeFromMs: update.activeFrom, seenAtMs: appendTimeMs }, baseOffset)
      return
    }
    case 'log-state':
      return
    default:
      assert(false, `an input log holds no frame of kind ${kind}`)
  }
}

/**
 * Hands one frame over record by record, with a flush after each, so that what the operator throws is thrown at the
 * record that causes it. `before` is called with each record's offset first.
 */
export function feedFrameByRecord(
  operator: PartitionOperator,
  frame: Frame,
  models: ModelCache,
  before: (offset: number) => void,
): void {
  const { kind, baseOffset, appendTimeMs, recordCount } = frame.header
  const lines = kind === 'readings' || kind === 'device-events'
  let rest = frame.body
  for (let record = 0; record < (lines ? recordCount : 1); record++) {
    before(baseOffset + record)
    if (lines) {
      const end = lineEnd(rest, 1)
      const line = plain(rest.subarray(0, end))
      if (kind === 'readings') operator.readings(line, baseOffset + record, appendTimeMs)
      else operator.deviceEvents(line, baseOffset + record, appendTimeMs)
      rest = rest.subarray(end)
    } else feedFrame(operator, frame, models)
    operator.flush()
  }
}

/** A plain Uint8Array over the same bytes: a Buffer's `slice` shares memory where an operator expects a copy. */
function plain(body: Buffer): Uint8Array {
  return new Uint8Array(body.buffer, body.byteOffset, body.length)
}
