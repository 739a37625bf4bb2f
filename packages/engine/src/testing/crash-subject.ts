import type { LoadedModel } from '@millwright/core'
import type { CreateOperator } from '../partition-host.ts'

/**
 * A plant that the crash harness can kill: a program that writes under load, and the pure parts that tell what it should
 * have written.
 *
 * The program is started as `node CHILD DATA_FOLDER SEED` and says on its standard output, a line each, at once:
 * `ready` when it can append; `phase NAME begin PARTITION` and `phase NAME end PARTITION` (`-` for no partition);
 * `ack FIRST LAST` when lines FIRST to LAST are acknowledged. Line n goes to the partition and has the text that
 * `line(n)` says, whose last number is n; it may repeat after a restart, from the position of its source on. Closed input segments are linked
 * into `DATA_FOLDER/../archive/PARTITION/` before retention may remove them. On SIGTERM it closes its engine and ends
 * with code 0; with SEED `drain` it appends nothing, waits until all is processed, closes and ends.
 */
export interface CrashSubject {
  readonly child: URL
  readonly partitionCount: number
  readonly createOperator: CreateOperator
  readonly loadModel: (sha256: string, bytes: Uint8Array) => LoadedModel
  /** @param n 1 or more. */
  line(n: number): { readonly partition: number; readonly text: string }
}
